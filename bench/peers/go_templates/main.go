// Measures Go's text/template: one JSON request on standard input, one JSON answer. The data is
// decoded into typed structs first; only Execute into a bytes.Buffer is timed.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"text/template"
	"time"
)

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
	RoutingTagKey string
	Groups        map[string]HostGroup
}

type Leader struct {
	Endpoint string
	Host     string
	Port     int32
}

type Namespace struct {
	LeaderVHost string
	Leader      Leader
	RoutingTag  string
}

type RenderingData struct {
	Xproxy                                string
	ProxyPlatform                         string
	LeftDelimiter                         string
	RightDelimiter                        string
	NginxMaxFailsUpstream                 int
	NginxFailTimeoutUpstream              string
	NginxSlowStartUpstream                string
	HaproxySocketAddr                     string
	HaproxyAddServerAttributesString      string
	HaproxyAddServerSSLAttributesString   string
	HaproxyServerNamePrefix               string
	HaproxyServerNameHostPortSeparator    string
	HaproxyBackendNameSeparator           string
	HaproxyBackendIncludeRoutingTagSuffix bool
	Namespaces                            map[string]Namespace
	Apps                                  map[string]App
	Generation                            string
	Vars                                  map[string]string
}

type request struct {
	Template string
	Data     RenderingData
	Rounds   int
}

type answer struct {
	Output string  `json:"output"`
	Parse  int64   `json:"parse"`
	Rounds []int64 `json:"rounds"`
}

var functions = template.FuncMap{
	"hasPrefix": strings.HasPrefix,
	"hasSuffix": strings.HasSuffix,
	"contains":  strings.Contains,
	"split":     strings.Split,
	"join":      strings.Join,
	"trim":      strings.Trim,
	"replace":   strings.Replace,
	"tolower":   strings.ToLower,
	"getenv":    func(string) string { return "" },
	"datetime":  time.Now,
	"hostport": func(host string, port any) string {
		return net.JoinHostPort(host, fmt.Sprint(port))
	},
	"proxyAtLeast": func(string) bool { return true },
	"hasIPv6":      func() bool { return true },
	"files":        func(string, string) []string { return nil },
}

func run() error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	begin := time.Now()
	parsed, err := template.New("t").Funcs(functions).Parse(asked.Template)
	if err != nil {
		return err
	}
	result := answer{Parse: time.Since(begin).Nanoseconds()}
	var out bytes.Buffer
	for range asked.Rounds {
		out.Reset()
		begin := time.Now()
		if err := parsed.Execute(&out, &asked.Data); err != nil {
			return err
		}
		result.Rounds = append(result.Rounds, time.Since(begin).Nanoseconds())
	}
	result.Output = out.String()
	return json.NewEncoder(os.Stdout).Encode(result)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
