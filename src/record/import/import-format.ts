import type { Catalog } from '../../core/catalog/catalog.ts';
import type { NotedCall } from '../../core/draft/runs/recorded-run.ts';
import type { OfferedTool } from '../../core/draft/tools-by-grant.ts';

/** A call that was read, and when it was made, in ms since 1970, where that is told. */
export interface ImportedCall extends NotedCall {
  readonly time?: number | undefined;
  /** Which of several runs in one file made it. */
  readonly run?: string | undefined;
}

/** What a file of another program's holds. */
export interface Imported {
  readonly calls: readonly ImportedCall[];
  /** Lines or entries that say nothing of a call to Stripe, with why; never passed over. */
  readonly unread: readonly { readonly line: number; readonly why: string }[];
  /** What the format does not tell, one sentence each. */
  readonly unseen: readonly string[];
}

/** What an MCP server offers. */
export interface ImportedTools extends Imported {
  readonly tools: readonly OfferedTool[];
}

/** What reading depends on. */
export interface ImportContext {
  readonly catalog: Catalog;
  /** Hosts that count as Stripe's besides its own and this machine's. */
  readonly hosts: readonly string[];
}

/** One way in which calls to Stripe are written down. */
export interface ImportFormat {
  /** For help and errors. */
  readonly description: string;
  /** Whether a file that begins so is one of this format. */
  readonly recognises: (text: string) => boolean;
  readonly read: (text: string, context: ImportContext) => Imported | ImportedTools;
}

/** Reads a file line by line; `read` returns a call, or why the line is none, or undefined for a line that may be passed over. */
export function importLines(
  text: string,
  unseen: readonly string[],
  read: (line: string) => ImportedCall | string | undefined,
): Imported {
  const calls: ImportedCall[] = [];
  const unread: { line: number; why: string }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const found = read(line);
    if (typeof found === 'string') unread.push({ line: index + 1, why: found });
    else if (found !== undefined) calls.push(found);
  }
  return { calls, unread, unseen };
}

/** Reads the entries of a document one by one, as {@link importLines} does lines. */
export function importEntries<T>(
  entries: readonly T[],
  unseen: readonly string[],
  read: (entry: T) => ImportedCall | string,
): Imported {
  const calls: ImportedCall[] = [];
  const unread: { line: number; why: string }[] = [];
  for (const [index, entry] of entries.entries()) {
    const found = read(entry);
    if (typeof found === 'string') unread.push({ line: index + 1, why: found });
    else calls.push(found);
  }
  return { calls, unread, unseen };
}

/** Path, names of parameters and expansions of a URL or of what follows the method in a log. */
export function partsOf(target: string): Pick<NotedCall, 'path' | 'parameters' | 'expand'> {
  const [path = '', query = ''] = target.replace(/^[a-z]+:\/\/[^/]*/i, '').split('?', 2);
  return { path: path.replace(/^\/stripe(?=\/v[12]\/)/, ''), ...formParts(query) };
}

/** Names of top-level parameters and the paths of `expand` of a form or a query. */
export function formParts(text: string): {
  parameters: string[];
  expand: string[];
  amount?: number;
  currency?: string;
} {
  const parameters = new Set<string>();
  const expand = new Set<string>();
  const money: { amount?: number; currency?: string } = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [top = ''] = name.split('[', 1);
    if (top === 'expand') expand.add(value);
    else parameters.add(top);
    if (/^amount(?:_to_capture|_to_confirm)?$/.test(name) && /^\d{1,15}$/.test(value))
      money.amount = Number(value);
    if (name === 'currency' && /^[a-z]{3}$/i.test(value)) money.currency = value.toLowerCase();
  }
  return { parameters: [...parameters], expand: [...expand], ...money };
}

/** Why a target is no call to Stripe; undefined where it is one, as far as can be told. */
export function notStripe(target: string, path: string, { hosts }: ImportContext): string | undefined {
  const [, host] = /^[a-z]+:\/\/(?:[^/@]*@)?([^/?#]*)/i.exec(target) ?? [];
  const name = host?.replace(/:\d+$/, '').toLowerCase();
  const isStripe =
    name === undefined ||
    /(^|\.)stripe\.com$|^localhost$|^127\.|^\[::1\]$/.test(name) ||
    hosts.some((one) => one.toLowerCase() === name || one.toLowerCase() === host?.toLowerCase());
  if (!isStripe) return 'a call to another host (--host NAME counts it)';
  return /^\/v[12]\//.test(path) ? undefined : 'no path of the API';
}

/** An object of JSON, or undefined. */
export function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of objects under a name; empty where there is none. */
export function listIn(value: unknown, name: string): readonly Readonly<Record<string, unknown>>[] {
  const list = isObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A status from 100 to 599, as a number or as text. */
export function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
    ? status
    : undefined;
}

export function codeOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  return textOf(error.code) ?? textOf(error.type);
}

/** A time as a log writes it, in ms since 1970; undefined for none. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
