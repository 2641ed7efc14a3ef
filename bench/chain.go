package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"crossdock/bench/peers"
	"crossdock/bench/system"
)

// chain starts two Bento processes over Redis Streams: one takes orders in and
// removes duplicates, the other maps and posts them.
func (b *bench) chain(dir, addr, target string) ([]*system.Process, error) {
	if b.bento == "" {
		wd, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		out := filepath.Join(b.tmp, "bento")
		if err := b.build(filepath.Join(wd, "chain"), out, "."); err != nil {
			return nil, err
		}
		b.bento = out
	}
	r, url, err := system.Redis(b.ctx, dir, "everysec")
	if err != nil {
		return nil, err
	}
	all := []*system.Process{r}
	for name, config := range map[string]string{"intake": peers.ToRedis(addr, url), "drain": peers.FromRedis(url, target)} {
		path := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			return all, err
		}
		p, err := system.Run("bento "+name, dir, b.bento, "-c", path)
		if err != nil {
			return all, fmt.Errorf("start the chain: %w", err)
		}
		all = append(all, p)
	}
	return all, system.WaitPort(b.ctx, all[len(all)-1], addr, 30*time.Second)
}
