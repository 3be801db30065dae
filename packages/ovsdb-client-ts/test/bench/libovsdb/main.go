// The side of the benchmarks that Go's libovsdb stands for: it prints one line of JSON.
//
//	libovsdb transactions REMOTE UUID COUNT IN_FLIGHT
//	libovsdb loading REMOTE
//	libovsdb latency REMOTE NAME SECONDS
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/ovn-org/libovsdb/cache"
	"github.com/ovn-org/libovsdb/client"
	"github.com/ovn-org/libovsdb/model"
	"github.com/ovn-org/libovsdb/ovsdb"
)

type nbGlobal struct {
	UUID  string `ovsdb:"_uuid"`
	NbCfg int    `ovsdb:"nb_cfg"`
}

// All columns, as the other clients ask for: what the server has to look through is the same for everyone then.
type logicalSwitchPort struct {
	UUID             string            `ovsdb:"_uuid"`
	Addresses        []string          `ovsdb:"addresses"`
	Dhcpv4Options    *string           `ovsdb:"dhcpv4_options"`
	Dhcpv6Options    *string           `ovsdb:"dhcpv6_options"`
	DynamicAddresses *string           `ovsdb:"dynamic_addresses"`
	Enabled          *bool             `ovsdb:"enabled"`
	ExternalIDs      map[string]string `ovsdb:"external_ids"`
	HaChassisGroup   *string           `ovsdb:"ha_chassis_group"`
	MirrorRules      []string          `ovsdb:"mirror_rules"`
	Name             string            `ovsdb:"name"`
	Options          map[string]string `ovsdb:"options"`
	ParentName       *string           `ovsdb:"parent_name"`
	PortSecurity     []string          `ovsdb:"port_security"`
	Tag              *int              `ovsdb:"tag"`
	TagRequest       *int              `ovsdb:"tag_request"`
	Type             string            `ovsdb:"type"`
	Up               *bool             `ovsdb:"up"`
}

func main() {
	log.SetOutput(io.Discard)
	mode, remote := os.Args[1], os.Args[2]
	dbModel, err := model.NewClientDBModel("OVN_Northbound", map[string]model.Model{
		"NB_Global":           &nbGlobal{},
		"Logical_Switch_Port": &logicalSwitchPort{},
	})
	check(err)
	logger := logr.Discard()
	ovs, err := client.NewOVSDBClient(dbModel, client.WithEndpoint(remote), client.WithLogger(&logger))
	check(err)
	ctx := context.Background()
	check(ovs.Connect(ctx))
	defer ovs.Close()
	var figures map[string]any
	switch mode {
	case "transactions":
		figures = transactions(ctx, ovs, os.Args[3], number(os.Args[4]), number(os.Args[5]))
	case "loading":
		figures = loading(ctx, ovs)
	case "latency":
		figures = latency(ctx, ovs, os.Args[3], number(os.Args[4]))
	}
	check(json.NewEncoder(os.Stdout).Encode(figures))
}

func transactions(ctx context.Context, ovs client.Client, uuid string, count, inFlight int) map[string]any {
	where := []ovsdb.Condition{ovsdb.NewCondition("_uuid", ovsdb.ConditionEqual, ovsdb.UUID{GoUUID: uuid})}
	one := func(n int) {
		update := ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: "NB_Global", Where: where, Row: ovsdb.Row{"nb_cfg": n}}
		results, err := ovs.Transact(ctx, update)
		check(err)
		_, err = ovsdb.CheckOperationResults(results, []ovsdb.Operation{update})
		check(err)
	}
	for n := 0; n < 500; n++ {
		one(n)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	cpuBefore, started := cpuSeconds(), time.Now()
	for worker := 0; worker < inFlight; worker++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := next.Add(1); n <= int64(count); n = next.Add(1) {
				one(int(n))
			}
		}()
	}
	workers.Wait()
	seconds := time.Since(started).Seconds()
	return map[string]any{
		"perSecond": float64(count) / seconds,
		"cpuMicros": (cpuSeconds() - cpuBefore) * 1e6 / float64(count),
	}
}

func loading(ctx context.Context, ovs client.Client) map[string]any {
	cpuBefore, started := cpuSeconds(), time.Now()
	_, err := ovs.Monitor(ctx, ovs.NewMonitor(client.WithTable(&logicalSwitchPort{})))
	check(err)
	seconds := time.Since(started).Seconds()
	rows := []logicalSwitchPort{}
	check(ovs.List(ctx, &rows))
	return map[string]any{"seconds": seconds, "cpuSeconds": cpuSeconds() - cpuBefore, "rows": len(rows)}
}

// The writer puts the time in microseconds into external_ids:us.
func latency(ctx context.Context, ovs client.Client, name string, seconds int) map[string]any {
	var micros []float64
	var mutex sync.Mutex
	ovs.Cache().AddEventHandler(&cache.EventHandlerFuncs{
		UpdateFunc: func(_ string, _ model.Model, changed model.Model) {
			now := float64(time.Now().UnixNano()) / 1000
			if port, ok := changed.(*logicalSwitchPort); ok && port.Name == name {
				if sent, err := strconv.ParseFloat(port.ExternalIDs["us"], 64); err == nil {
					mutex.Lock()
					micros = append(micros, now-sent)
					mutex.Unlock()
				}
			}
		},
	})
	_, err := ovs.Monitor(ctx, ovs.NewMonitor(client.WithTable(&logicalSwitchPort{})))
	check(err)
	fmt.Fprintln(os.Stderr, "ready")
	time.Sleep(time.Duration(seconds) * time.Second)
	mutex.Lock()
	defer mutex.Unlock()
	sort.Float64s(micros)
	at := func(share float64) float64 { return micros[int(float64(len(micros)-1)*share)] }
	return map[string]any{"updates": len(micros), "p50": at(0.5), "p99": at(0.99)}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
