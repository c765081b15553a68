#!/usr/bin/env node
// Read by old versions of Node too: nothing here is newer than Node 10, and nothing is imported before the check.
// A test holds the numbers against "engines" in package.json.
var version = process.versions.node.split('.').map(Number);
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(`error: keyaudit needs Node 20.19 or newer; this is Node ${process.versions.node}.`);
  process.exitCode = 2;
} else {
  void import('../dist/cli.js');
}
