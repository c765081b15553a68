import type { PastRun } from '../../../core/result/history.ts';
import { escapeXml as text } from '../xml.ts';

const WIDTH = 96;
const HEIGHT = 20;

/** The last runs of a profile as a small line, a dot where it did not pass; a dash where there were none. */
export function trendOf(profile: string, history: readonly PastRun[]): string {
  const runs = history.flatMap(({ at, results }) => {
    const own = results.find((result) => result.profile === profile);
    return own === undefined ? [] : [{ at, ...own }];
  });
  if (runs.length < 2) return '-';
  const values = runs.map(
    ({ overGrants, underGrants, inconclusive }) => overGrants + underGrants + inconclusive,
  );
  const most = Math.max(1, ...values);
  const points = values.map((value, index) => {
    const x = 3 + (index * (WIDTH - 6)) / (runs.length - 1);
    const y = HEIGHT - 3 - (value * (HEIGHT - 6)) / most;
    return [x.toFixed(1), y.toFixed(1)] as const;
  });
  const dots = points
    .filter((_point, index) => runs[index]?.ok === false)
    .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5"/>`);
  const passed = runs.filter(({ ok }) => ok).length;
  const label = `${passed} of ${runs.length} runs passed since ${runs[0]?.at.slice(0, 10) ?? ''}; findings: ${values.join(', ')}`;
  return `<svg class="trend" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${text(label)}"><polyline points="${points.map((point) => point.join(',')).join(' ')}"/>${dots.join('')}</svg>`;
}
