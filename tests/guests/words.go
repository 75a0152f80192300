// Reads JSON lines from standard input and prints a summary; os.Exit with the number of lines that did not parse.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"
)

type order struct {
	Customer string  `json:"customer"`
	Amount   float64 `json:"amount"`
}

func main() {
	start := time.Now()
	totals := map[string]float64{}
	bad := 0
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var one order
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, "skipped:", err)
			bad++
			continue
		}
		totals[one.Customer] += one.Amount
	}
	names := make([]string, 0, len(totals))
	for name := range totals {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("%s %.2f\n", name, totals[name])
	}
	fmt.Println("args", os.Args[1:], "env", len(os.Environ()), "time goes on", !time.Now().Before(start))
	if _, err := os.ReadFile("/etc/passwd"); err != nil {
		fmt.Println("no file:", err != nil)
	}
	os.Exit(bad)
}
