const ON = /^(?:true|yes|on|1)$/i;
const OFF = /^(?:false|no|off|0|)$/i;

/**
 * A switch as text: true, yes, on, 1, or false, no, off, 0 and nothing at all; undefined for all else, which is
 * a mistake to refuse and never a guess.
 */
export function readSwitch(text: string): boolean | undefined {
  const word = text.trim();
  if (ON.test(word)) return true;
  return OFF.test(word) ? false : undefined;
}
