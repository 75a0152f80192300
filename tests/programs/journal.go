// Reads what is in /data, keeps a journal in /scratch, and says what it found; the way Go programs use files.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

type entry struct {
	Name  string    `json:"name"`
	Words int       `json:"words"`
	At    time.Time `json:"at"`
}

func count(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Split(bufio.ScanWords)
	words := 0
	for scanner.Scan() {
		words++
	}
	return words, scanner.Err()
}

func collect(root string) ([]entry, error) {
	var found []entry
	err := filepath.WalkDir(root, func(path string, at fs.DirEntry, err error) error {
		if err != nil || at.IsDir() {
			return err
		}
		info, err := at.Info()
		if err != nil {
			return err
		}
		words, err := count(path)
		found = append(found, entry{strings.TrimPrefix(path, root+"/"), words, info.ModTime().UTC()})
		return err
	})
	return found, err
}

func write(found []entry) error {
	if err := os.MkdirAll("/scratch/out/2000", 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(found, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile("/scratch/out/journal.new", text, 0o644); err != nil {
		return err
	}
	return os.Rename("/scratch/out/journal.new", "/scratch/out/2000/journal.json")
}

func appendLine(line string) error {
	file, err := os.OpenFile("/scratch/log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(file, line); err != nil {
		return err
	}
	return file.Close()
}

func main() {
	found, err := collect("/data")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Words > found[j].Words })
	if err := errors.Join(write(found), appendLine("second"), os.Truncate("/scratch/seed", 4)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	refused := os.WriteFile("/data/new", nil, 0o644)
	_, missing := os.Stat("/data/missing")
	fmt.Println(len(found), "files; read-only:", refused != nil, "missing:", errors.Is(missing, fs.ErrNotExist))
	os.Exit(len(os.Args) - 1)
}
