import type { Catalog } from '../../core/catalog/catalog.ts';
import { knownWords } from '../../core/draft/runs/known-words.ts';
import { type RecordedRun, RUN_SCHEMA, RunRecorder } from '../../core/draft/runs/recorded-run.ts';
import type { Imported, ImportedCall } from './import-format.ts';

/** What the runs of an import are called, and where they come from. */
export interface ImportedRunsOptions {
  readonly name: string;
  /** The format. */
  readonly from: string;
  readonly catalog: Catalog;
  /** For calls of which no time is told. */
  readonly now: Date;
}

/** One run, or one for each that the file tells apart; none where it holds no call. */
export function importedRuns(
  imported: Imported,
  { name, from, catalog, now }: ImportedRunsOptions,
): readonly RecordedRun[] {
  if (imported.calls.length === 0) return [];
  const words = knownWords(catalog);
  const groups = new Map<string, ImportedCall[]>();
  for (const call of imported.calls) {
    const group = groups.get(call.run ?? '');
    if (group === undefined) groups.set(call.run ?? '', [call]);
    else group.push(call);
  }
  return [...groups.values()].map((calls) => {
    const recorder = new RunRecorder(catalog, words);
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const call of calls) {
      recorder.note(call);
      if (call.time === undefined) continue;
      first = Math.min(first, call.time);
      last = Math.max(last, call.time);
    }
    const at = (time: number) => new Date(isDate(time) ? time : now).toISOString();
    const left = imported.unread.length;
    return {
      schema: RUN_SCHEMA,
      name,
      startedAt: at(first),
      endedAt: at(last),
      catalog: catalog.source,
      seenBy: [from],
      unseen: [
        ...imported.unseen,
        ...(left === 0
          ? []
          : [
              `${left} ${left === 1 ? 'line or entry' : 'lines or entries'} of what was imported could not be read.`,
            ]),
      ],
      calls: recorder.calls,
    };
  });
}

/** What a date can hold; a log could say anything. */
function isDate(time: number): boolean {
  return Math.abs(time) <= 8.64e15 && new Date(time).getUTCFullYear() < 10_000 && time >= 0;
}
