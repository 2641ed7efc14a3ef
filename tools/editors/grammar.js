// Tokenizes lines with a TextMate grammar, as editors do: reads
// {"grammar": FILE, "lines": [...]} and prints, for each line, its tokens as
// [text, innermost scope].
"use strict";

const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

async function main() {
  const ask = JSON.parse(fs.readFileSync(0, "utf8"));
  const wasm = fs.readFileSync(path.join(__dirname, "node_modules/vscode-oniguruma/release/onig.wasm")).buffer;
  await oniguruma.loadWASM(wasm);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(ask.grammar, "utf8"), ask.grammar),
  });
  const grammar = await registry.loadGrammar("crossdock.cells");
  let state = textmate.INITIAL;
  const out = [];
  for (const line of ask.lines) {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    out.push(result.tokens.map((t) => [line.slice(t.startIndex, t.endIndex), t.scopes[t.scopes.length - 1]]));
  }
  console.log(JSON.stringify(out));
}

main().catch((failed) => {
  console.error(failed);
  process.exit(1);
});
