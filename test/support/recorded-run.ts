import { type NotedCall, type RecordedRun, RunRecorder } from '../../src/core/draft/runs/recorded-run.ts';
import { catalog } from './profiles.ts';

/** A run of `agent` that began and ended at a time, as its file has it. Calls as `GET /v1/charges` were answered 200. */
export function recordedRun(
  at: Date,
  calls: readonly (string | NotedCall)[],
  {
    granted,
    recorder = new RunRecorder(catalog),
  }: { granted?: readonly string[]; recorder?: RunRecorder } = {},
): RecordedRun {
  for (const call of calls) {
    const [method = '', path = ''] = typeof call === 'string' ? call.split(' ') : [];
    recorder.note(typeof call === 'string' ? { method, path, status: 200 } : { status: 200, ...call });
  }
  const time = at.toISOString();
  return {
    schema: 'keyaudit.run/1',
    name: 'agent',
    startedAt: time,
    endedAt: time,
    catalog: catalog.source,
    seenBy: ['node'],
    unseen: [],
    calls: recorder.calls,
    granted: granted === undefined ? undefined : [...granted],
  };
}
