package value

import "testing"

func TestDateMeant(t *testing.T) {
	for text, want := range map[string]string{
		"31.12.2099": "write 2099-12-31", "1.2.2027": "write 2027-02-01", "31/12/2099": "write 2099-12-31", "12/31/2099": "write 2099-12-31",
		"03/03/2027": "write 2027-03-03", "03/04/2027": "", "31/31/2027": "", "soon": "", "2027-03-31": "", "32.01.2027": "",
	} {
		if got := DateMeant(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
