package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"minters/mint"
)

func answer(fields []string) (string, error) {
	if fields[0] == "mint" {
		return mint.Mint(fields[1])
	}
	step, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return "", err
	}
	return mint.Token(fields[1], fields[2], fields[3], step, fields[5])
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		token, err := answer(strings.Split(lines.Text(), "\t"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(token)
	}
}
