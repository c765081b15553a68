import { catalogData } from '../core/catalog/data/catalog.ts';
import type { GlobalOptions } from './context.ts';

/** For which target and API version a calibration holds. */
export function calibratedTarget({ target, apiBase }: Pick<GlobalOptions, 'target' | 'apiBase'>): {
  readonly target: string;
  readonly apiVersion: string;
} {
  // Each sandbox picks its own port; anything else in Stripe's place is calibrated for itself.
  const elsewhere = target !== 'stripe' || apiBase === undefined ? '' : `-${apiBase.replace(/\W+/g, '-')}`;
  return { target: `${target}${elsewhere}`, apiVersion: catalogData.apiVersion };
}
