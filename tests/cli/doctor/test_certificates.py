"""When certificates expire, and which cannot be read."""

from pathlib import Path

from drove_gateway.cli.doctor.certificates import read_expiries


def test_a_path_that_the_system_refuses_is_reported_and_the_others_are_examined(
    tmp_path: Path,
) -> None:
    refused = tmp_path / ("x" * 300)
    missing = tmp_path / "missing.pem"

    ends, problems = read_expiries((refused, missing))

    assert ends == {}
    assert problems == (
        f"certificate {refused}: File name too long",
        f"certificate {missing}: No such file or directory",
    )


def test_files_of_a_directory_without_a_certificate_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")

    assert read_expiries((tmp_path,)) == ({}, ())
