package format
import ("fmt";"testing";"strings";"time";"crossdock/dsl/parser";"crossdock/dsl/diag";"io")
func TestZZ(t *testing.T){
 rep:=func(s string) string { return strings.Repeat(s,(1<<20-100)/len(s)) }
 for name,src:=range map[string]string{
  "flowlist":"a: ["+rep("x, ")+"]\n",
  "flowlistwide":"a: [é, "+rep("x, ")+"]\n",
  "open":"a: ["+rep("(, ")+"]\n",
  "openmaps":"a: ["+rep("{a: (b, c)}, ")+"]\n",
  "escapes":"a: \""+rep("\\n")+"\"\n",
  "escapesw":"a: \"é"+rep("\\n")+"\"\n",
  "comments":"a: b\n"+rep("# c\n"),
  "deepcomments":"a:\n"+strings.Repeat("  - b\n",80000)+strings.Repeat("# c\n",80000),
  "spaces":"a: |\n"+strings.Repeat(" ",1<<20-100)+"b\n",
  "lines":"a: |\n"+rep("  b\n"),
  "folded":"a: >\n"+rep("  b\n\n"),
  "plain":"a: b\n"+rep("  b\n"),
  "quotes":"a:\n"+rep("- \"x\" + y\n"),
  "tags":"a:\n"+rep("- !x\n"),
  "bang":"a: ["+rep("!x, ")+"]\n",
  "openitems":"a:\n"+rep("- (\n"),
  "brackets":rep("["),
  "colons":rep("a: "),
  "dups":rep("a: b\n"),
  "jinja":"a:\n"+rep("- {{ a }}\n"),
  "unclosed":"a: {"+rep("b: \"c, "),
  "ignores":"a: b\n"+rep("# crossdock-ignore XD1 r\n"),
  "anchors":"a:\n"+rep("- &x y\n"),
  "tabs":"a:\n"+rep("\tb: c\n"),
  "mergeflow": "a: ["+rep("{{a: b}: c}, ")+"]\n",
 } {
  fmt.Print(name," ")
  st:=time.Now(); _,l:=parser.Parse("",[]byte(src)); d1:=time.Since(st)
  st=time.Now(); Format([]byte(src)); d2:=time.Since(st)
  st=time.Now(); diag.Print(io.Discard,l,diag.Options{Sources:func(string)[]byte{return []byte(src)}}); d3:=time.Since(st)
  fmt.Printf("%-14s %7d bytes parse %8v format %8v print %8v findings %d\n", name,len(src),d1.Round(time.Millisecond),d2.Round(time.Millisecond),d3.Round(time.Millisecond),len(l))
 }
}
