package infra_test

import (
	"fmt"
	"net/netip"
	"testing"

	"vinfast-classifier/infra"
)

func TestSubnetRanges(t *testing.T) {
	for _, c := range []struct {
		cidr    string
		n       int
		public  string
		private string
	}{
		{"10.20.0.0/16", 1, "[10.20.0.0/20]", "[10.20.128.0/20]"},
		{"10.20.0.0/16", 2, "[10.20.0.0/20 10.20.16.0/20]", "[10.20.128.0/20 10.20.144.0/20]"},
		{"192.168.6.0/23", 4, "[192.168.6.0/27 192.168.6.32/27 192.168.6.64/27 192.168.6.96/27]",
			"[192.168.7.0/27 192.168.7.32/27 192.168.7.64/27 192.168.7.96/27]"},
	} {
		public, private, err := infra.SubnetRanges(c.cidr, c.n)
		if err != nil || fmt.Sprint(public) != c.public || fmt.Sprint(private) != c.private {
			t.Errorf("%s in %d: %v %v, %v; want %s %s", c.cidr, c.n, public, private, err, c.public, c.private)
		}
	}
	for _, c := range []struct {
		cidr string
		n    int
	}{{"10.0.0.0/24", 1}, {"10.0.0.0/16", 5}, {"10.0.0.0/16", 0}, {"fd00::/16", 1}, {"big", 1}} {
		if _, _, err := infra.SubnetRanges(c.cidr, c.n); err == nil {
			t.Errorf("%s in %d passed", c.cidr, c.n)
		}
	}
}

// Whatever the range, subnets are inside, apart, and stay when zones are added.
func FuzzSubnetRanges(f *testing.F) {
	f.Add(uint8(16), uint16(20), uint8(2))
	f.Fuzz(func(t *testing.T, bits uint8, second uint16, n uint8) {
		whole, err := netip.AddrFrom4([4]byte{10, byte(second), byte(second >> 8), 0}).Prefix(16 + int(bits)%8)
		if err != nil {
			t.Fatal(err)
		}
		zones := 1 + int(n)%4
		public, private, err := infra.SubnetRanges(whole.String(), zones)
		if err != nil {
			t.Fatal(err)
		}
		all := append(public, private...)
		for i, a := range all {
			if !whole.Contains(a.Addr()) || a.Bits() != whole.Bits()+4 {
				t.Errorf("%v is no part of %v", a, whole)
			}
			for _, b := range all[:i] {
				if a.Overlaps(b) {
					t.Errorf("%v overlaps %v", a, b)
				}
			}
		}
		most, _, err := infra.SubnetRanges(whole.String(), 4)
		if err != nil || most[zones-1] != public[zones-1] {
			t.Errorf("adding zones moves %v to %v", public[zones-1], most[zones-1])
		}
	})
}
