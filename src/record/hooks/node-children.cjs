'use strict';
// Beside node-hook.cjs: notes the process id of what a recorded process starts, so that a program in which no hook
// says hello is named as not seen. Nothing of its command line is kept.
const children = require('node:child_process');
const { join } = require('node:path');
const threads = require('node:worker_threads');

/** Programs that call nobody and are started by SDKs and their like to see where they run. */
const HARMLESS =
  /^(?:\S*\/)?(?:uname|hostname|which|ps|tty|stty|id|locale|getconf|ldconfig|lsb_release|sw_vers|git)(?:\s[^;&|`$<>\n]*)?$/;

function isHarmless(file, args) {
  const [, flag, text] = args;
  return HARMLESS.test(
    flag === '-c' && /^(?:\S*\/)?(?:ba|da|z)?sh$/.test(file) ? String(text) : String(file),
  );
}

function watchChildren(note) {
  const { spawn } = children.ChildProcess.prototype;
  children.ChildProcess.prototype.spawn = function (options) {
    const result = spawn.call(this, options);
    if (this.pid !== undefined && !isHarmless(options?.file, options?.args ?? []))
      note({ started: this.pid });
    return result;
  };
  const { spawnSync, execSync, execFileSync } = children;
  children.spawnSync = function (file, ...rest) {
    const result = spawnSync.call(this, file, ...rest);
    const { shell } = rest.findLast((one) => typeof one === 'object' && !Array.isArray(one)) ?? {};
    const words = Array.isArray(rest[0]) ? rest[0] : [];
    const line = shell ? [file, ...words].join(' ') : file;
    if (result?.pid > 0 && !isHarmless(line, [])) note({ started: result.pid });
    return result;
  };
  // These do not tell the process id.
  children.execSync = function (line, ...rest) {
    if (!isHarmless(line, [])) note({ started: 0 });
    return execSync.call(this, line, ...rest);
  };
  children.execFileSync = function (file, ...rest) {
    if (!isHarmless(file, [])) note({ started: 0 });
    return execFileSync.call(this, file, ...rest);
  };
}

/** What takes the process's place (from Node 22.15). */
function watchExec(note, hello) {
  const { execve } = process;
  if (typeof execve !== 'function') return;
  process.execve = function (...args) {
    note({ replaced: process.pid });
    try {
      return execve.apply(this, args);
    } finally {
      // It is still here: there was nothing to run.
      hello();
    }
  };
}

/** A worker thread that gets an environment of its own gets no NODE_OPTIONS, so that it is told of the hook otherwise. */
function watchWorkers() {
  const { Worker } = threads;
  const hook = join(__dirname, 'node-hook.cjs');
  const watched = {
    Worker: class extends Worker {
      constructor(file, options) {
        const { env, execArgv = process.execArgv } = options ?? {};
        const isOwn =
          typeof env === 'object' && env !== null && !String(env.NODE_OPTIONS ?? '').includes(hook);
        super(file, isOwn ? { ...options, execArgv: [...execArgv, '--require', hook] } : options);
      }
    },
  };
  threads.Worker = Object.defineProperty(watched.Worker, 'name', { value: 'Worker' });
}

module.exports = { watchChildren, watchExec, watchWorkers };
