'use strict';
// Beside node-hook.cjs: writes the notes. A note is written at once, unless another was within the last few
// milliseconds: then it waits for the next ones, since an agent that calls without a pause would spend more on writing
// than on all else. That notes wait is written down first, so that what a process took with it when it was killed in
// between is named as not seen.
const fs = require('node:fs');
const { getEnvironmentData, setEnvironmentData, threadId } = require('node:worker_threads');

/** How long a note may wait, in ms. */
const WAIT_MS = 20;
const { setTimeout: later } = globalThis;

/** What the environment says; a worker thread that has another one gets it from the thread that made it. */
function inherited(name) {
  const value = process.env[name] ?? getEnvironmentData(name);
  if (value !== undefined) setEnvironmentData(name, value);
  return value;
}

/** Appended, never made: a notes file that is gone means that nobody records any more; then undefined. */
function openNotes(path) {
  let fd;
  try {
    fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_APPEND);
  } catch {
    return undefined;
  }
  const { writeSync } = fs;
  const who = `${process.pid}.${threadId}`;
  let waiting = '';
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isOver = false;
  let isTorn = false;
  const write = (text) => {
    try {
      // After a line that the disk took in part the next one begins anew.
      const bytes = Buffer.from(isTorn ? `\n${text}` : text);
      isTorn = false;
      isTorn = writeSync(fd, bytes) < bytes.length;
      if (isTorn) lost(fd);
    } catch {
      lost(fd);
    }
    writtenAt = performance.now();
  };
  const flush = () => {
    if (waiting === '') return;
    const text = `${waiting}{"written":"${who}"}\n`;
    waiting = '';
    write(text);
  };
  process.on('exit', () => {
    flush();
    isOver = true;
  });
  const texts = new WeakMap();
  const textOf = (value) => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(value).slice(0, -1);
    texts.set(value, text);
    return text;
  };
  /** @param value what may come again @param answer what is noted with it */
  return (value, answer) => {
    const line =
      answer === undefined ? `${textOf(value)}}\n` : `${textOf(value)},${JSON.stringify(answer).slice(1)}\n`;
    if (waiting === '') {
      if (isOver || performance.now() - writtenAt > WAIT_MS) {
        write(line);
        return;
      }
      write(`{"waiting":"${who}"}\n`);
      later(flush, WAIT_MS).unref();
    }
    waiting += line;
  };
}

/** A full disk takes no note, and takes this mark still; see read-notes.ts. The agent's work goes on. */
function lost(fd) {
  try {
    fs.fchmodSync(fd, 0o700);
  } catch {
    // Nobody can be told.
  }
}

module.exports = { inherited, openNotes };
