package photo

import (
	"encoding/binary"
	"fmt"
)

// maxProfile is the longest colour profile that is carried over, in bytes.
const maxProfile = 256 << 10

// carry keeps a colour profile for the rendition if it is one that says what
// the pixels mean: for RGB, or for gray if they are. Others are dropped.
func (h *Header) carry(profile []byte, gray bool) {
	if len(profile) == 0 {
		return
	}
	why := ""
	switch {
	case len(profile) > maxProfile:
		why = fmt.Sprintf("more than %d bytes", maxProfile)
	case len(profile) < 128 || string(profile[36:40]) != "acsp":
		why = "no profile"
	case int64(binary.BigEndian.Uint32(profile)) != int64(len(profile)):
		why = "not as long as it says"
	case string(profile[16:20]) == "RGB ":
	case string(profile[16:20]) == "GRAY" && gray:
		h.gray = true
	default:
		why = fmt.Sprintf("for %q", profile[16:20])
	}
	if why != "" {
		h.drop("profile: " + why)
		return
	}
	h.profile = profile
}

// drop notes that something about colours is left out.
func (h *Header) drop(what string) {
	if h.Dropped != "" {
		h.Dropped += "; "
	}
	h.Dropped += what
}

// appendProfile appends a profile to the beginning of a JPEG, in pieces of what
// a segment can hold.
func appendProfile(out, profile []byte) []byte {
	const most = 0xffff - 2 - 14
	count := (len(profile) + most - 1) / most
	for i := range count {
		part := profile[i*most : min((i+1)*most, len(profile))]
		out = binary.BigEndian.AppendUint16(append(out, 0xff, mAPP2), uint16(len(part)+16))
		out = append(append(out, "ICC_PROFILE\x00"...), byte(i+1), byte(count))
		out = append(out, part...)
	}
	return out
}
