// Text from anywhere: control and bidirectional characters cannot hide or reorder anything.

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

const ANSI = /\u001b\[[0-9;]*m/g;

/** Text with colour codes taken out and other characters that show nothing written as what they are. */
export function visible(line: string): string {
  return line.replace(ANSI, '').replace(HIDDEN, (found) => `\\u${found.codePointAt(0)!.toString(16).padStart(4, '0')}`);
}
