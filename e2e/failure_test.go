package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vinfast-classifier/e2e/cloud"
	"vinfast-classifier/e2e/stack"
)

// refusals is how many calls of different kinds are refused on the way up, and on the way down.
const refusals = 10

// What counts as making and as taking away, by the names AWS gives its calls.
var (
	makes     = regexp.MustCompile(`^(Add|Allocate|Associate|Attach|Authorize|Create|Modify|Put|Run)`)
	takesAway = regexp.MustCompile(`^(Delete|Detach|Disassociate|Release|Remove|Revoke|Stop|Terminate)`)
)

// takenForGone are the deletions whose refusal the provider takes to mean that the thing is not there, as AWS Backup says
// "access denied" of a vault that does not exist: destroy succeeds, the vault stays, and nothing can make the engine tell.
// docs/operations.md names it to whoever takes a stack down.
var takenForGone = []string{"backup:DeleteBackupVault"}

// TestFailure refuses calls in the middle of up and of destroy. Whatever was refused, the next command goes on where the
// last one ended, and in the end everything is as if nothing had happened.
func TestFailure(t *testing.T) {
	t.Parallel()
	random, all := dice(t)
	account := cloud.Start(t, theTools.Python, ".", region)
	before := inventory(t, account)
	s := newStack(t, account, "dev")

	s.Must(t, "failure: up, undisturbed", deployLimit, "up", "--yes", "--skip-preview")
	onTheWayUp := account.Calls(t)
	undisturbed := inventory(t, account)
	s.Must(t, "failure: destroy, undisturbed", deployLimit, "destroy", "--yes", "--skip-preview")
	onTheWayDown := account.Calls(t)[len(onTheWayUp):]
	sameInventory(t, before, inventory(t, account))

	if !t.Run("up", func(t *testing.T) {
		refuse(t, account, s, choose(random, all, onTheWayUp, makes), "up", "--yes", "--skip-preview")
		sameDiff(t, "the next preview announces", nil, s.Diff(t, "failure: preview, all made", planLimit, "preview"))
		heal(t, s)
		sameInventory(t, kinds(undisturbed), kinds(inventory(t, account)))
	}) {
		return
	}
	t.Run("destroy", func(t *testing.T) {
		refuse(t, account, s, choose(random, all, onTheWayDown, takesAway), "destroy", "--yes", "--skip-preview")
		sameInventory(t, before, inventory(t, account))
	})
}

// dice is seeded by SEED or by the clock. SEED=all asks for the first call of every kind there is.
func dice(t *testing.T) (random *rand.Rand, all bool) {
	t.Helper()
	text := os.Getenv("SEED")
	if text == "all" {
		return nil, true
	}
	if text == "" {
		text = strconv.FormatInt(time.Now().UnixNano()%1_000_000, 10)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("SEED=%s is neither a whole number nor \"all\"", text)
	}
	fmt.Printf("The refused calls are chosen with SEED=%d.\n", seed)
	return rand.New(rand.NewPCG(seed, 0)), false
}

// choose takes calls of different kinds out of those that were made, and of each kind one by chance.
func choose(random *rand.Rand, all bool, calls []cloud.Call, wanted *regexp.Regexp) []cloud.Fault {
	count := map[cloud.Call]int{}
	for _, call := range calls {
		if wanted.MatchString(call.Action) && !slices.Contains(takenForGone, call.String()) {
			count[call]++
		}
	}
	var chosen []cloud.Fault
	for call := range count {
		chosen = append(chosen, cloud.Fault{Call: call, Occurrence: 1})
	}
	slices.SortFunc(chosen, func(a, b cloud.Fault) int { return strings.Compare(a.String(), b.String()) })
	if all {
		return chosen
	}
	random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	chosen = chosen[:min(refusals, len(chosen))]
	for i := range chosen {
		chosen[i].Occurrence = 1 + random.IntN(count[chosen[i].Call])
	}
	return chosen
}

// refuse runs the command until it succeeds. Every time that it fails, it names each call that was refused meanwhile, and
// nothing else is the reason; and each chosen call gets its refusal.
func refuse(t *testing.T, account *cloud.Account, s *stack.Stack, faults []cloud.Fault, command ...string) {
	t.Helper()
	t.Logf("refused on %s: %v", command[0], faults)
	account.Refuse(t, faults)
	seen := 0
	for {
		output, err := s.Run(t.Context(), fmt.Sprintf("failure: %s, %d calls refused so far", command[0], seen), deployLimit, command...)
		refused := account.Refused(t)
		fresh := refused[seen:]
		seen = len(refused)
		if err == nil {
			if len(fresh) > 0 {
				t.Errorf("%s succeeds although AWS refused %v", command[0], fresh)
			}
			break
		}
		if len(fresh) == 0 {
			t.Fatalf("%s fails although nothing was refused: %v\n%s", command[0], err, output)
		}
		for _, call := range fresh {
			if !strings.Contains(output, "not authorized to perform: "+call.String()) {
				t.Errorf("%s does not name the refused call %s in\n%s", command[0], call, output)
			}
		}
	}
	if seen != len(faults) {
		t.Errorf("%d of %d calls were refused: %v", seen, len(faults), account.Refused(t))
	}
}

// halfMade is the one thing that is not finished by the next up alone. The provider takes over the network's own security
// group in several calls. If one is refused, the engine keeps the group as finished, with rules that it still has.
const halfMade = "~ ec2/defaultSecurityGroup:DefaultSecurityGroup default "

// heal compares with what AWS has, not only with what the last up remembers.
func heal(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, change := range s.Diff(t, "failure: preview with refresh", planLimit, "preview", "--refresh") {
		if !strings.HasPrefix(change, halfMade) {
			t.Errorf("with a refresh there is still to do: %s", change)
		}
	}
	s.Must(t, "failure: up with refresh", deployLimit, "up", "--yes", "--skip-preview", "--refresh")
	s.Must(t, "failure: preview with refresh again", planLimit, "preview", "--refresh", "--expect-no-changes")
}

// generated are the parts of an inventory that differ from one up to the next.
var generated = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|-[0-9a-f]{7,17}\b|\b[0-9a-f]{17}\b|\b[0-9a-f]{32}\b`)

// kinds is an inventory with its generated parts blanked: what there is, and as "#2", "#3" how often.
func kinds(inventory []string) []string {
	count := map[string]int{}
	var found []string
	for _, one := range inventory {
		kind := generated.ReplaceAllString(one, "-*")
		count[kind]++
		found = append(found, fmt.Sprintf("%s #%d", kind, count[kind]))
	}
	return found
}
