// Command chain is Bento, the free continuation of Benthos, with the Redis
// components that the comparison of durable queues needs. It is a module of its
// own, because its dependencies do not agree with those of the other peer.
package main

import (
	"context"

	_ "github.com/warpstreamlabs/bento/public/components/io"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	_ "github.com/warpstreamlabs/bento/public/components/redis"
	"github.com/warpstreamlabs/bento/public/service"
)

func main() { service.RunCLI(context.Background()) }
