// Run the Python program on standard input inside Pyodide, on folders of this machine:
//     node pyodide.mjs '{"runtime": FOLDER, "mounts": {GUEST: FOLDER}, "args": []}'
import { existsSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { loadPyodide } from "pyodide";

const { runtime, mounts = {}, args = [] } = JSON.parse(process.argv[2]);
const pyodide = await loadPyodide({
  args,
  indexURL: `${runtime}/`,
  // The same source must give the same bytecode, whose hash names the runtime.
  env: { PYTHONHASHSEED: "0", SOURCE_DATE_EPOCH: "0" },
});
for (const [guest, folder] of Object.entries(mounts)) {
  pyodide.FS.mkdirTree(guest);
  pyodide.mountNodeFS(guest, folder);
}
const rest = `${runtime}/rest.zip`;
if (existsSync(rest)) pyodide.FS.writeFile("/rest.zip", readFileSync(rest));
pyodide.runPython(await text(process.stdin));
