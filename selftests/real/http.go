// SPDX-License-Identifier: GPL-2.0

// A server and a client as they are written in Go. The server does nothing for
// Multipath TCP: since Go 1.24 listeners have it. A client has to ask for it.
//
//	http serve FILE ADDRESS...	GET /data is the file; PUT /sum answers
//					with the SHA-256 of what was sent
//	http load N FILE ADDRESS	N connections that get the file, and N
//					that put it; prints what came of them
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func serve(file string, addresses []string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /data", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, file)
	})
	mux.HandleFunc("PUT /sum", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		if _, err := io.Copy(sum, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%x\n", sum.Sum(nil))
	})
	ended := make(chan error)
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go func() { ended <- http.Serve(listener, mux) }()
	}
	fmt.Println("listening")
	return <-ended
}

// What a transfer of its own connection came to.
type outcome struct {
	multipath bool
	err       error
}

func transfer(method, url string, content []byte) (result outcome) {
	var conn net.Conn
	dialer := net.Dialer{}
	dialer.SetMultipathTCP(true)
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			conn, err = dialer.DialContext(ctx, network, address)
			return conn, err
		},
	}
	client := http.Client{Transport: transport, Timeout: 2 * time.Minute}
	body := ""
	if method == "PUT" {
		body = string(content)
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	response, err := client.Do(request)
	if err != nil {
		return outcome{err: err}
	}
	defer response.Body.Close()
	// Asked now: when the answer has been read, the connection is closed.
	result.multipath, _ = conn.(*net.TCPConn).MultipathTCP()
	sum := sha256.New()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return outcome{err: err}
	}
	got := strings.TrimSpace(string(answer))
	if method == "GET" {
		sum.Write(answer)
		got = fmt.Sprintf("%x", sum.Sum(nil))
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(content)); got != want {
		result.err = fmt.Errorf("%s %s: %s, the sum is %.80q", method, url, response.Status, got)
	}
	return result
}

func load(count int, file, address string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	results := make([]outcome, 2*count)
	var group sync.WaitGroup
	for i := range results {
		group.Add(1)
		go func() {
			defer group.Done()
			if i < count {
				results[i] = transfer("GET", "http://"+address+"/data", content)
			} else {
				results[i] = transfer("PUT", "http://"+address+"/sum", content)
			}
		}()
	}
	group.Wait()
	multipath, good := 0, 0
	for _, result := range results {
		if result.multipath {
			multipath++
		}
		if result.err == nil {
			good++
		} else {
			fmt.Fprintln(os.Stderr, result.err)
		}
	}
	fmt.Printf("multipath=%d good=%d\n", multipath, good)
	return nil
}

func run(args []string) error {
	if len(args) >= 3 && args[0] == "serve" {
		return serve(args[1], args[2:])
	}
	if len(args) == 4 && args[0] == "load" {
		count, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return load(count, args[2], args[3])
	}
	return errors.New("usage: http serve FILE ADDRESS... | load N FILE ADDRESS")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "http:", err)
		os.Exit(1)
	}
}
