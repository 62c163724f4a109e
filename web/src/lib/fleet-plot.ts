/**
 * Draws how something went over time, with uPlot, in the page's own colours. Only the console asks for this file, and uPlot
 * comes with it.
 */

import uPlot from 'uplot';

/** Seconds since 1970, and one list of values for each line; `null` where nothing is known. */
export type Series = [number[], ...(number | null)[][]];

export interface Plot {
  /** Lines by name, in the order of their values. */
  names: string[];
  data: Series;
  /** A value as people read it. */
  format: (value: number) => string;
  /** Whether a value holds until the next one. */
  steps: boolean;
  language: string;
}

/** An hour without a point is a gap, not a slope. */
const GAP_S = 3 * 3600;
/** What is drawn is never shorter, so that the first points stand at its end. */
const SHOWN_MIN_S = 12 * 3600;
const DAY_S = 86_400;
const HEIGHT = 140;

/** Draws into `place` and keeps to its width; returns what takes it away again. */
export function draw(place: HTMLElement, plot: Plot): () => void {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const strokes = [colour('--accent'), colour('--warn'), colour('--muted'), colour('--bad'), colour('--ink'), colour('--line-strong')];
  const stepped = plot.steps && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {};
  const axis = { stroke: colour('--muted'), font: `11px ${style.fontFamily}`, ticks: { show: false } };
  const grid = { stroke: colour('--line'), width: 1 };
  const most = Math.max(plot.steps ? 1 : 1000, ...plot.data.slice(1).flat().map((value) => value ?? 0));
  const [first = 0, last = 0] = [plot.data[0][0], plot.data[0].at(-1)];
  const from = Math.min(first, last - SHOWN_MIN_S);
  const day = new Intl.DateTimeFormat(plot.language, { day: 'numeric', month: 'short' });
  const hour = new Intl.DateTimeFormat(plot.language, { hour: '2-digit', minute: '2-digit' });
  const when = (_: uPlot, splits: number[]) => splits.map((at) => (last - from > 2 * DAY_S ? day : hour).format(at * 1000));
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { range: [from, last] }, y: { range: [0, most * 1.1] } },
      axes: [
        { ...axis, grid: { show: false }, values: when, size: 24, space: 80 },
        {
          ...axis,
          grid,
          size: 64,
          values: (_: uPlot, splits: number[]) => splits.map((value) => (plot.steps && value % 1 !== 0 ? '' : plot.format(value))),
        },
      ],
      series: [
        {},
        ...plot.names.map((label, index) => ({
          label,
          stroke: strokes[index % strokes.length] ?? 'currentColor',
          width: 1.5,
          points: { show: plot.data[0].length < 3, size: 5 },
          ...stepped,
        })),
      ],
    },
    gapped(plot.data),
    place,
  );
  const watch = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
  watch.observe(place);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}

/** The same with a point of nothing in each gap. */
function gapped([times, ...lines]: Series): uPlot.AlignedData {
  const gap = GAP_S * Math.max(1, times.length / 1000);
  const at: number[] = [];
  const drawn = lines.map((): (number | null)[] => []);
  times.forEach((time, index) => {
    const before = times[index - 1];
    if (before !== undefined && time - before > gap) {
      at.push(before + 1);
      drawn.forEach((line) => line.push(null));
    }
    at.push(time);
    drawn.forEach((line, number) => line.push(lines[number]?.[index] ?? null));
  });
  return [at, ...drawn];
}
