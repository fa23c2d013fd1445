"use strict";
// Starts a program of this platform's package with all flags, the environment and the three streams of this process.
const { spawn } = require("node:child_process");
const path = require("node:path");

function fail(text) {
  process.stderr.write(`ib-mcp: ${text}\n`);
  process.exit(1);
}

function find(name) {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const manifest = require.resolve(`@ibd-project/ib-mcp-${platform}/package.json`);
    return path.join(path.dirname(manifest), "bin", name);
  } catch {
    return fail(
      `the package @ibd-project/ib-mcp-${platform} is not installed. ` +
        "There is one for Linux with glibc and for macOS, x64 and arm64 each; " +
        "npm leaves it out if it is told to omit optional dependencies.",
    );
  }
}

module.exports = (name) => {
  const program = find(name);
  const args = process.argv.slice(2);
  // Since Node 22.15 the program can take this process's place: nothing of Node stays in memory.
  if (process.execve) process.execve(program, [program, ...args], process.env);
  const child = spawn(program, args, { stdio: "inherit" });
  const signals = ["SIGHUP", "SIGINT", "SIGTERM"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`${program} does not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
};
