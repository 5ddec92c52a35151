/** A laid-out chart as the text of an SVG file, for goldens that people can look at. */
import type { ChartEdge, ChartGeometry, ChartNode } from '../../src/viewer/chart/geometry.ts';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export function svgOf({ name, width, height, nodes, edges }: ChartGeometry): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="DejaVu Sans Mono, monospace" font-size="10.5" fill="none" stroke="#456">`,
    `  <title>${escaped(name)}</title>`,
    '  <defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0 0 8 4 0 8Z" fill="#456" stroke="none"/></marker></defs>',
    '  <rect width="100%" height="100%" fill="#fff" stroke="none"/>',
    ...nodes.flatMap(nodeLines),
    ...edges.flatMap(edgeLines),
    '</svg>',
    '',
  ].join('\n');
}

const words = ({ x, y, text }: { readonly x: number; readonly y: number; readonly text: string }, more = ''): string =>
  `  <text x="${x}" y="${y}" fill="#123" stroke="none"${more}>${escaped(text)}</text>`;

function nodeLines({ id, kind, x, y, w, h, title, notes }: ChartNode): string[] {
  if (kind === 'initial') return [`  <circle data-id="${id}" cx="${x + w / 2}" cy="${y + h / 2}" r="${w / 2}" fill="#456"/>`];
  const box = (inset: number, more = ''): string =>
    `  <rect data-id="${id}" x="${x + inset}" y="${y + inset}" width="${w - 2 * inset}" height="${h - 2 * inset}" rx="${kind === 'any' || kind === 'history' ? h / 2 : 6}"${more}/>`;
  return [
    box(0, kind === 'any' || kind === 'parallel' ? ' stroke-dasharray="3 3"' : ''),
    ...(kind === 'final' ? [box(3)] : []),
    words(title, kind === 'any' ? '' : ' font-size="12" font-weight="bold"'),
    ...notes.map((note) => words(note)),
  ];
}

function edgeLines({ source, target, points, label, ways }: ChartEdge): string[] {
  const path = points.map(({ x, y }) => `${x},${y}`).join(' ');
  return [
    `  <polyline data-from="${source}" data-to="${target}" points="${path}" marker-end="url(#head)"/>`,
    ...(label === null ? [] : [`  <rect x="${label.x}" y="${label.y}" width="${label.w}" height="${label.h}" fill="#fff" stroke="none"/>`]),
    ...ways.flatMap(({ lines }) => lines.map((line) => words(line))),
  ];
}
