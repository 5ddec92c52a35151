/**
 * Where everything on a chart goes: its definition, measured and given to ELK, comes back as geometry. Runs where the program is built, not where a chart is shown:
 * charts change with the program alone, and the layouter is ten times the size of the page. Deterministic.
 */
import elk from 'elkjs/lib/elk.bundled.js';
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from 'elkjs/lib/elk.bundled.js';
import type { ChartDefinition, EdgeDefinition, StateDefinition } from '../../machines/definition.ts';
import type { Box, ChartEdge, ChartGeometry, ChartNode } from './geometry.ts';
import { linesOf, stateAbout, type, wayAbout, wayLines, widthOf } from './words.ts';

const pad = 10;
/** From the top of a box to the bottom of its title. */
const head = 22;

/** For every level: ELK hands none of them down. */
const options: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  // From its first state downwards. (ELK cannot keep the order of the chart's text here: with edges across levels that option throws.)
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '10',
  'elk.spacing.edgeEdge': '10',
  'elk.spacing.edgeLabel': '2',
  'elk.spacing.nodeSelfLoop': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
};

/** All transitions between two nodes, drawn as one line. */
interface Line {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly edges: EdgeDefinition[];
}

/** Rejects where ELK does. */
export async function layOut(definition: ChartDefinition): Promise<ChartGeometry> {
  const { name, hash, root } = definition;
  const lines = linesBetween(definition);
  const graph = nodeOf(root, definition, lines);
  const laid = await new elk.default().layout<ElkNode>({
    id: '',
    layoutOptions: options,
    children: [graph],
    edges: lines.map((line) => edgeOf(line, name)),
  });
  const places = new Map<string, Box>();
  place(laid, places);
  const edges = new Map((laid.edges ?? []).map((edge) => [edge.id, edge]));
  return {
    name,
    hash,
    width: round(laid.width ?? 0),
    height: round(laid.height ?? 0),
    nodes: drawnNodes(root, null, definition, lines, places),
    edges: lines.map((line) => drawnEdge(line, edges.get(line.id) as ElkExtendedEdge, name)),
  };
}

const anyOf = (state: string): string => `${state}#any`;
const initialOf = (state: string): string => `${state}#initial`;

function linesBetween({ edges }: ChartDefinition): Line[] {
  const lines = new Map<string, Line>();
  for (const edge of edges) {
    for (const target of edge.targets) {
      const source = edge.isInitial ? initialOf(edge.source) : target.startsWith(`${edge.source}.`) ? anyOf(edge.source) : edge.source;
      const id = `${source}>${target}`;
      const line = lines.get(id) ?? { id, source, target, edges: [] };
      line.edges.push(edge);
      lines.set(id, line);
    }
  }
  return [...lines.values()];
}

const marksOf = ({ id }: StateDefinition, lines: readonly Line[]): string[] =>
  [initialOf(id), anyOf(id)].filter((mark) => lines.some(({ source }) => source === mark));

const stayingIn = ({ id }: StateDefinition, { edges }: ChartDefinition): EdgeDefinition[] =>
  edges.filter(({ source, targets }) => source === id && targets.length === 0);

function nodeOf(state: StateDefinition, definition: ChartDefinition, lines: readonly Line[]): ElkNode {
  const notes = linesOf(state, stayingIn(state, definition), definition.name);
  const width = Math.max(64, widthOf(state.key, type.title) + 2 * pad, ...notes.map(({ text }) => widthOf(text, type.small) + 2 * pad));
  const height = head + notes.length * type.line + (notes.length > 0 ? 8 : 6);
  if (state.kind === 'history') return { id: state.id, width: 24, height: 24 };
  if (state.states.length === 0) return { id: state.id, width: Math.ceil(width), height };
  return {
    id: state.id,
    layoutOptions: {
      ...options,
      'elk.padding': `[top=${height + 8},left=16,bottom=16,right=16]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${Math.ceil(width)},${height})`,
    },
    children: [
      ...marksOf(state, lines).map((id) => ({ id, ...markSize(id) })),
      ...state.states.map((child) => nodeOf(child, definition, lines)),
    ],
  };
}

/** Of a condition under its event. */
const indent = 8;

const anyWord = 'any state';
const markSize = (id: string): { width: number; height: number } =>
  id.endsWith('#any') ? { width: Math.ceil(widthOf(anyWord, type.small) + 2 * pad), height: 20 } : { width: 12, height: 12 };

function edgeOf({ id, source, target, edges }: Line, chart: string): ElkExtendedEdge {
  const lines = edges.map((edge) => wayLines(edge, chart));
  const widths = lines.flatMap((texts) => texts.map((text, i) => widthOf(text, type.small) + i * indent));
  const width = Math.ceil(Math.max(0, ...widths) + 8);
  const label = {
    text: id,
    width,
    height: widths.length * type.line + 4,
    layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
  };
  return { id, sources: [source], targets: [target], labels: widths.length === 0 ? [] : [label] };
}

function place({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode, places: Map<string, Box>): void {
  places.set(id, { x: round(x), y: round(y), w: round(width), h: round(height) });
  for (const child of children) place(child, places);
}

const round = (pixels: number): number => Math.round(pixels * 2) / 2;

function drawnNodes(
  state: StateDefinition,
  parent: string | null,
  definition: ChartDefinition,
  lines: readonly Line[],
  places: ReadonlyMap<string, Box>,
): ChartNode[] {
  const box = places.get(state.id) as Box;
  const isHistory = state.kind === 'history';
  const notes = isHistory ? [] : linesOf(state, stayingIn(state, definition), definition.name);
  const node: ChartNode = {
    id: state.id,
    parent,
    kind: state.kind,
    ...box,
    title: isHistory ? { x: box.x + 8, y: box.y + 16, text: 'H' } : { x: box.x + pad, y: box.y + 16, text: state.key },
    notes: notes.map((note, i) => ({ ...note, x: box.x + pad, y: box.y + head + (i + 1) * type.line - 3 })),
    about: stateAbout(state),
  };
  const marks = marksOf(state, lines).map((id): ChartNode => {
    const at = places.get(id) as Box;
    const isAny = id.endsWith('#any');
    const title = { x: at.x + pad, y: at.y + 14, text: isAny ? anyWord : '' };
    return {
      id,
      parent: state.id,
      kind: isAny ? 'any' : 'initial',
      ...at,
      title,
      notes: [],
      about: isAny ? `any state of ${state.key}` : `${state.key} begins here`,
    };
  });
  return [node, ...marks, ...state.states.flatMap((child) => drawnNodes(child, state.id, definition, lines, places))];
}

function drawnEdge({ source, target, edges }: Line, laid: ElkExtendedEdge, chart: string): ChartEdge {
  const points = (laid.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
  const [label] = laid.labels ?? [];
  const box = label === undefined ? null : { x: round(label.x ?? 0), y: round(label.y ?? 0), w: label.width ?? 0, h: label.height ?? 0 };
  let line = 0;
  return {
    source,
    target,
    points: points.map(({ x, y }) => ({ x: round(x), y: round(y) })),
    label: box,
    ways: edges.map((edge) => ({
      edge: edge.id,
      lines: wayLines(edge, chart).map((text, i) => ({
        text,
        x: (box?.x ?? 0) + 4 + i * indent,
        y: (box?.y ?? 0) + ++line * type.line - 1,
      })),
      about: wayAbout(edge),
    })),
  };
}
