package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
)

// Who has to approve is kept in the store, too, so that what is written into the
// store past every running crossdock is not run by any: neither now, nor after a
// start of all of them.

// demand is who has to approve what is published.
type demand struct {
	By string `json:"by"` // a role or a name; "" = nobody
	// Since is the publication that was at work when this was first so. Later
	// ones have to be admitted.
	Since int `json:"since"`
}

const demandKey = "approval/asked"

// readDemand reads who has to approve what is published into a store.
func readDemand(ctx context.Context, d queue.Driver) (got demand, version int64, err error) {
	values, err := d.Get(ctx, demandKey)
	if err != nil {
		return demand{}, 0, fmt.Errorf("read who approves what goes live: %w", err)
	}
	if values[0].Version > 0 {
		if err := json.Unmarshal(values[0].Data, &got); err != nil {
			return demand{}, 0, fmt.Errorf("read who approves what goes live: %w", err)
		}
	}
	return got, values[0].Version, nil
}

// PublishTo makes a pack the active revision of a store that no crossdock has to
// serve. Where the definitions that ran on it last are not changed without an
// approval, the error is a *Refused.
func PublishTo(ctx context.Context, d queue.Driver, entry publication.Entry, pack *publication.Pack) (publication.Entry, error) {
	asked, _, err := readDemand(ctx, d)
	if err != nil {
		return entry, err
	}
	if asked.By != "" {
		return entry, &Refused{Reason: notWithoutPlan(asked.By) + ", with a crossdock that runs on this store"}
	}
	return publication.Publish(ctx, d, entry, pack)
}

// noteDemand writes into the store who has to approve what comes after the
// definitions at work, unless it says so already.
func (e *Engine) noteDemand(ctx context.Context) error {
	for {
		was, version, err := readDemand(ctx, e.driver)
		if err != nil {
			return err
		}
		now := demand{By: e.Approver(), Since: e.published.Number}
		if was.By == now.By {
			return nil
		}
		raw, err := json.Marshal(now)
		if err != nil {
			return fmt.Errorf("write who approves what goes live: %w", err)
		}
		_, err = e.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: demandKey, Version: version, Value: raw}}})
		if errors.Is(err, queue.ErrVersion) {
			continue // another replica was faster
		}
		if err != nil {
			return fmt.Errorf("write who approves what goes live: %w", err)
		}
		return nil
	}
}

// admits reports whether a publication may run: a running crossdock let it pass,
// or it was at work before anybody had to approve.
func (d demand) admits(entry publication.Entry) bool {
	return d.By == "" || entry.Number == 0 || entry.Admitted || entry.Number <= d.Since
}

// bypassed is an error where a publication was written into the store past who
// has to approve it.
func (e *Engine) bypassed(ctx context.Context, entry publication.Entry) error {
	asked, _, err := readDemand(ctx, e.driver)
	if err != nil || asked.admits(entry) {
		return err
	}
	return fmt.Errorf("%s has not approved it: it was published past every running crossdock; `crossdock rollback` goes back to one that may run", asked.By)
}

// admitted is the newest publication that may run where the active one may not;
// false where there is none.
func (e *Engine) admitted(ctx context.Context, book *publication.Book) (origin, bool, error) {
	asked, _, err := readDemand(ctx, e.driver)
	if err != nil {
		return origin{}, false, err
	}
	for _, entry := range slices.Backward(book.Entries) {
		if !asked.admits(entry) {
			continue
		}
		pack, err := publication.Files(ctx, e.driver, entry)
		if err != nil {
			return origin{}, false, err
		}
		return origin{entry, pack.FS()}, true, nil
	}
	return origin{}, false, nil
}
