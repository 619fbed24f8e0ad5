"""`nginx_cmd` of the stand-in: PORT -c FILE -t, or PORT -c FILE -s reload."""

import socket
import sys


def main(arguments: list[str]) -> int:
    port, _, file, action, *_ = arguments
    path = f"/check?file={file}" if action == "-t" else "/reload"
    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as connection:
        connection.sendall(f"POST {path} HTTP/1.0\r\nHost: control\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    sys.stderr.write(body)
    return 0 if head.split()[1] == "200" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
