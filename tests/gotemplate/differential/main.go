// Reference executes templates with Go's text/template: one JSON request a line in, one answer a
// line out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"
)

const outputLimit = 1 << 20

type Host struct {
	Host     string
	Port     int32
	PortType string
}

type HostGroup struct {
	Hosts []Host
	Tags  map[string]string
}

type App struct {
	ID            string
	Vhost         string
	Hosts         []Host
	Tags          map[string]string
	Groups        map[string]HostGroup
	RoutingTagKey string
}

type Leader struct {
	Endpoint string
	Host     string
	Port     int
}

type Namespace struct {
	LeaderVHost string
	Leader      Leader
	RoutingTag  string
}

type Topology struct {
	Apps       map[string]App
	Namespaces map[string]Namespace
}

type request struct {
	Template string
	Name     string
	Left     string
	Right    string
	Data     json.RawMessage
	// Now is what datetime answers: nanoseconds since 1970, and its zone.
	Now    int64
	Zone   string
	Offset int
}

type answer struct {
	Output  []byte `json:"output"`
	Stage   string `json:"stage"`
	Message []byte `json:"message"`
}

// tagged is a value that JSON has no words for: {"$": "float", "v": "NaN"}.
type tagged struct {
	Kind  string          `json:"$"`
	Value json.RawMessage `json:"v"`
}

func decode(raw json.RawMessage) (any, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	switch raw[0] {
	case '{':
		return decodeObject(raw)
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, err
		}
		list := make([]any, len(items))
		for i, item := range items {
			value, err := decode(item)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case '"', 't', 'f':
		var value any
		err := json.Unmarshal(raw, &value)
		return value, err
	}
	return strconv.Atoi(string(raw))
}

func decodeObject(raw json.RawMessage) (any, error) {
	var mark tagged
	if err := json.Unmarshal(raw, &mark); err == nil && mark.Kind != "" {
		return decodeTagged(mark)
	}
	var items map[string]json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	object := make(map[string]any, len(items))
	for key, item := range items {
		value, err := decode(item)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	return object, nil
}

func into[T any](raw json.RawMessage) (any, error) {
	var value T
	err := json.Unmarshal(raw, &value)
	return value, err
}

func decodeTagged(mark tagged) (any, error) {
	switch mark.Kind {
	case "float":
		text, err := into[string](mark.Value)
		if err != nil {
			return nil, err
		}
		return strconv.ParseFloat(text.(string), 64)
	case "complex":
		parts, err := into[[2]string](mark.Value)
		if err != nil {
			return nil, err
		}
		pair := parts.([2]string)
		re, err := strconv.ParseFloat(pair[0], 64)
		if err != nil {
			return nil, err
		}
		im, err := strconv.ParseFloat(pair[1], 64)
		return complex(re, im), err
	case "bytes":
		value, err := into[[]byte](mark.Value)
		if err != nil {
			return nil, err
		}
		return string(value.([]byte)), nil
	case "strings":
		return into[map[string]string](mark.Value)
	case "Host":
		return into[Host](mark.Value)
	case "App":
		return into[App](mark.Value)
	case "Topology":
		return into[Topology](mark.Value)
	}
	return nil, fmt.Errorf("unknown kind %q", mark.Kind)
}

func functions(now time.Time) template.FuncMap {
	return template.FuncMap{
		"hasPrefix": strings.HasPrefix,
		"hasSuffix": strings.HasSuffix,
		"contains":  strings.Contains,
		"split":     strings.Split,
		"join":      strings.Join,
		"trim":      strings.Trim,
		"replace":   strings.Replace,
		"tolower":   strings.ToLower,
		"getenv":    func(key string) string { return map[string]string{"HOME": "/root"}[key] },
		"datetime":  func() time.Time { return now },
		"hostport": func(host string, port any) string {
			if strings.HasPrefix(host, "[") {
				return host + ":" + fmt.Sprint(port)
			}
			return net.JoinHostPort(host, fmt.Sprint(port))
		},
	}
}

var errTooLong = errors.New("output is too long")

type limited struct{ bytes.Buffer }

func (l *limited) Write(data []byte) (int, error) {
	if l.Len()+len(data) > outputLimit {
		return 0, errTooLong
	}
	return l.Buffer.Write(data)
}

func (r request) now() time.Time {
	zone := time.UTC
	if r.Zone != "" {
		zone = time.FixedZone(r.Zone, r.Offset)
	}
	return time.Unix(0, r.Now).In(zone)
}

func (r request) answer() (result answer) {
	defer func() {
		if broken := recover(); broken != nil {
			result = answer{Stage: "panic", Message: fmt.Append(nil, broken)}
		}
	}()
	data, err := decode(r.Data)
	if err != nil {
		return answer{Stage: "data", Message: []byte(err.Error())}
	}
	parsed, err := template.New(r.Name).Delims(r.Left, r.Right).Funcs(functions(r.now())).Parse(r.Template)
	if err != nil {
		return answer{Stage: "parse", Message: []byte(err.Error())}
	}
	var out limited
	switch err := parsed.Execute(&out, data); {
	case errors.Is(err, errTooLong):
		return answer{Stage: "limit", Message: []byte(err.Error())}
	case err != nil:
		return answer{Output: out.Bytes(), Stage: "exec", Message: []byte(err.Error())}
	}
	return answer{Output: out.Bytes()}
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := answers.Encode(asked.answer()); err != nil {
			os.Exit(1)
		}
		if lines.Buffered() == 0 {
			out.Flush()
		}
	}
}
