import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';

/** Who works on an entry of the journal. The token says who it is; the rest, whom the kernel can be asked about. */
export const ownerSchema = z.strictObject({
  /** Random, so that no process is taken for another; its sign of life bears the same name. */
  token: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  host: z.string(),
  /** The running kernel and its list of processes: only where both are the same does a process id say anything. */
  kernel: z.string().optional(),
  pid: z.int(),
  /** When the process began, in the kernel's ticks, since process ids come again; empty where unknown. */
  ticks: z.string(),
});
export type Owner = z.infer<typeof ownerSchema>;

/** A further piece of work of this process. */
export function newOwner(): Owner & { readonly token: string } {
  const token = randomBytes(16).toString('hex');
  return { token, host: hostname(), kernel: KERNEL, pid: process.pid, ticks: ticksOf(process.pid) };
}

/** An owner that has died, for work that is taken over. */
export function deadOwner(): Owner {
  return { ...newOwner(), ticks: 'dead' };
}

/** `there` is no proof of work: the process may be frozen. `unknown`: it is on another kernel, or counted elsewhere. */
export function askKernel({ host, kernel, pid, ticks }: Owner): 'dead' | 'there' | 'unknown' {
  if (host !== hostname() || kernel !== KERNEL) return 'unknown';
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  return ticks === '' || ticks === ticksOf(pid) ? 'there' : 'dead';
}

export function isOtherHost({ host }: Owner): boolean {
  return host !== hostname();
}

const KERNEL = kernelName();

/** The boot of this kernel and the namespace of its process ids; elsewhere than on Linux there is one of each. */
function kernelName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return process.platform;
  }
}

/** The start of a process: the 22nd field of `/proc/PID/stat`; empty where there is none. A zombie is dead. */
function ticksOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'dead' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
