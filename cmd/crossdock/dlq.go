package main

import (
	"fmt"
	"net/url"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/queue"
)

func (a *app) dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dlq", GroupID: "operate", Short: "Look at, edit, replay and discard dead letters",
		Long: `Dead letters are messages that could not be delivered. They keep what was received,
what was achieved so far and why it ended. A replay goes on at the step that
failed, with the same idempotency keys: nothing that succeeded is sent again.`,
		Example: `  crossdock dlq list --group-by cause
  crossdock dlq show ID
  crossdock dlq replay --group 3f9a1c2b7d10 --dry-run
  crossdock dlq replay --group 3f9a1c2b7d10 --rate 5/s --yes
  crossdock dlq discard ID --reason "test order"`,
	}
	cmd.AddCommand(a.dlqList(), a.dlqBoxes(), a.dlqShow(), a.dlqEdit(), a.dlqReplay(), a.dlqFix(), a.dlqDiscard(),
		a.dlqChanges(), a.dlqStop(), a.dlqResume(), a.dlqRejected())
	return cmd
}

func (a *app) dlqRejected() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "rejected", Args: cobra.NoArgs, Short: "List messages that were refused at the door, newest first",
		Long: `List messages that were refused at the door, newest first. The history is read
page by page; where few of them are found in its newest million entries, that is
said, and --limit 0 reads all of it.`,
		Example: "  crossdock dlq rejected\n  crossdock dlq rejected --client acme --limit 0\n  crossdock dlq rejected --reveal --json"}
	r.flags(cmd)
	client := cmd.Flags().String("client", "", "only those that came to pipelines of this client, by its code")
	reveal := cmd.Flags().Bool("reveal", false, "with what was received, which may hold personal data")
	most := cmd.Flags().Int("limit", 100, "how many are listed; 0 = all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		entries := []queue.Entry{}
		q := url.Values{"kind": {"rejected"}, "client": {*client}, "reveal": {strconv.FormatBool(*reveal)}}
		next, err := pages(*most, 1000, func(after string, size int) (int, string, error) {
			q.Set("after", after)
			q.Set("limit", strconv.Itoa(size))
			var page admin.HistoryPage
			err := c.Get(cmd.Context(), "/v1/history", q, &page)
			entries = append(entries, page.Entries...)
			return len(page.Entries), page.Next, err
		})
		if err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(entries)
		}
		if len(entries) == 0 {
			fmt.Fprintln(a.Stdout, "no message was refused")
			return nil
		}
		const form = "%-14s  %-24s  %-24s  %s\n"
		fmt.Fprintf(a.Stdout, form, "TIME", "PIPELINE", "FOUND BY", "MESSAGE")
		for _, e := range entries {
			found := ""
			if len(e.Refs) > 0 {
				found = e.Refs[0].Type + " " + e.Refs[0].Value
			}
			fmt.Fprintf(a.Stdout, form, e.At.Local().Format("01-02 15:04:05"), short(e.Pipeline, 24), short(found, 24), e.Message)
			// Why stands by itself: it is what people look for, and long.
			fmt.Fprintf(a.Stdout, "    %s\n", short(e.Detail, 96))
			if data := shown(e.Data); data != "" {
				fmt.Fprintf(a.Stdout, "    %s\n", data)
			}
		}
		if next != "" {
			fmt.Fprintln(a.Stdout, "there may be more; --limit 0 lists all")
		}
		return nil
	}
	return cmd
}

// fruitless is how many pages in a row may be read that hold fewer than were
// asked for, where all are not.
const fruitless = 10

// pages reads pages of at most size until there are most, 0 = all. read reads
// the page behind another one and tells how many it holds and where the next
// begins. Where few are found it gives up long before it has read all that the
// store holds; next is not "" where there may be more.
func pages(most, size int, read func(after string, size int) (n int, next string, err error)) (next string, err error) {
	for got, poor := 0, 0; most <= 0 || got < most; {
		want := size
		if most > 0 {
			want = min(size, most-got)
		}
		n, after, err := read(next, want)
		if next = after; err != nil || next == "" {
			return next, err
		}
		if got += n; n == want {
			poor = 0
		} else if poor++; most > 0 && poor == fruitless {
			break
		}
	}
	return next, nil
}

// shown makes what strangers sent fit for a terminal.
func shown(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	return short(strconv.QuoteToASCII(string(data[:min(len(data), 200)])), 60)
}

// who names the person at the keyboard for the history.
func who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
