import { END_MARKER, START_MARKER } from './plain-text.js';

/** One dump of a text: what stands between its markers, or all of a text without markers. */
export interface Section {
  lines: string[];
  /** The line of the START marker; null without one. */
  startLine: string | null;
  /** The END marker was reached: nothing is missing at the end. */
  hasEnd: boolean;
}

/** Crash loops write one dump after the other; beyond this only the last ones are read. */
const MOST_SECTIONS = 64;

/** The dumps of a text in their order; START begins a new one. */
export function sectionsOf(text: string): { sections: Section[]; markers: number } {
  const starts: number[] = [];
  for (let at = text.indexOf(START_MARKER); at >= 0; at = text.indexOf(START_MARKER, at + 1)) starts.push(at);
  if (starts.length === 0) {
    const end = text.indexOf(END_MARKER);
    const body = end < 0 ? text : text.slice(0, lineStart(text, end));
    return { sections: [{ lines: linesOf(body), startLine: null, hasEnd: end >= 0 }], markers: 0 };
  }
  const kept = starts.slice(-MOST_SECTIONS);
  const sections = kept.map((start, index) => sectionAt(text, start, kept[index + 1] ?? text.length));
  return { sections, markers: starts.length };
}

function sectionAt(text: string, start: number, next: number): Section {
  const markerEnd = endOfMarker(text, start + START_MARKER.length);
  const end = text.indexOf(END_MARKER, start);
  const hasEnd = end >= 0 && end < next;
  const bodyEnd = hasEnd ? lineStart(text, end) : next === text.length ? next : lineStart(text, next);
  return {
    lines: linesOf(text.slice(markerEnd, Math.max(markerEnd, bodyEnd))),
    startLine: text.slice(lineStart(text, start), lineEnd(text, start)),
    hasEnd,
  };
}

function linesOf(text: string): string[] {
  return text.split(/[\r\n]+/);
}

function lineStart(text: string, at: number): number {
  return Math.max(text.lastIndexOf('\n', at), text.lastIndexOf('\r', at)) + 1;
}

function lineEnd(text: string, at: number): number {
  const ends = [text.indexOf('\n', at), text.indexOf('\r', at)].filter((end) => end >= 0);
  return ends.length === 0 ? text.length : Math.min(...ends);
}

/** The dump may begin on the marker's own line, where somebody made one line of all. */
function endOfMarker(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '=') at++;
  return at;
}
