import { groups } from 'd3-array'
import { kindOf } from '../bench/plot.js'
import { type Curve, type LineChart, lineChart } from '../drawing/line-chart.js'
import { sans } from '../drawing/node/sans.js'
import { encodePng } from '../image/node/encode.js'
import { plainKey } from '../settings/setting.js'
import type { Comparison } from './compare.js'
import type { ComparedRow } from './compared-rows.js'

/** What accuracy is drawn over. */
interface Axis {
  /** Of the files. */
  readonly name: string
  readonly title: string
  readonly label: string
  of(row: ComparedRow): number | undefined
}

const axes: readonly Axis[] = [
  {
    name: 'accuracy-over-latency',
    title: 'Accuracy over time, one picture',
    label: 'ms for one picture, median',
    of: ({ times }) => times?.latencyMs.median,
  },
  {
    name: 'accuracy-over-time-of-many',
    title: 'Accuracy over time, many pictures',
    label: 'ms for each of many pictures, engines beside each other',
    of: ({ times }) => times && 1000 / times.picturesPerSecond,
  },
  {
    name: 'accuracy-over-multiply-adds',
    title: 'Accuracy over multiply-adds',
    label: 'multiply-adds, G: linear maps and attention products',
    of: ({ cost }) => cost && cost.multiplyAdds.full / 1e9,
  },
]

/** PNGs are looked at on screens of two pixels a point. */
const pngScale = 2

/** What has lost more than a quarter of the best accuracy is of no use, and would press all others together. */
const leastOfBest = 0.75

/** `evit:0.7` → `0.7`, `first 10 layers` → `10`; nothing where no number stands by itself. */
function numberOf(setting: string): string | undefined {
  return setting === plainKey ? setting : /(?<![\w#.-])\d[\d./]*(?!\w)/.exec(setting)?.[0]
}

/**
 * A curve for each model and kind of setting. Controls are dashed lines that begin at the whole model: a method that lies
 * below them would be better replaced by smaller pictures, or fewer layers.
 */
function curvesOf(rows: readonly ComparedRow[], { of }: Axis): readonly Curve[] {
  const placed = rows.flatMap((row) => {
    const x = of(row)
    const accuracy = row.answers?.top1.share
    const isPlaced = x !== undefined && accuracy !== undefined && Number.isFinite(accuracy)
    return isPlaced ? [{ row, x, y: 100 * accuracy, label: numberOf(row.setting) }] : []
  })
  return groups(placed, ({ row }) => `${row.model}, ${kindOf(row.setting)}`).map(([name, points]): Curve => {
    const [first] = points
    const isControl = first?.row.isControl ?? false
    const whole = placed.filter(
      ({ row }) => isControl && row.reference === first?.row.reference && row.setting === plainKey,
    )
    const sorted = [...points, ...whole.map((point) => ({ ...point, label: undefined }))].sort(
      (a, b) => a.x - b.x,
    )
    return isControl
      ? { name: `${name} (control)`, points: sorted, dashed: true, dots: true }
      : { name, points: sorted }
  })
}

/**
 * Pictures of a comparison, by the names of their files: accuracy over each measured time, and over multiply-adds.
 * @returns none without accuracies; without times only the one over multiply-adds
 */
export async function comparisonPlots({
  rows,
  machine,
}: Pick<Comparison, 'rows' | 'machine'>): Promise<Readonly<Record<string, Uint8Array | string>>> {
  const files: Record<string, Uint8Array | string> = {}
  for (const axis of axes) {
    const curves = curvesOf(rows, axis)
    if (curves.length === 0) continue
    const accuracies = curves.flatMap(({ points }) => points.map(({ y }) => y))
    const least = leastOfBest * Math.max(...accuracies)
    const isCut = Math.min(...accuracies) < least
    const where = axis.name.endsWith('multiply-adds') ? '' : ` (${machine.cpu}, ${machine.cores} cores)`
    const chart: LineChart = {
      ...{ title: `${axis.title}${where}`, xLabel: axis.label },
      yLabel: isCut ? 'top-1, %; what lies below is in the table' : 'top-1, %',
      curves: curves.filter(({ points }) => points.some(({ y }) => y >= least)),
      yFrom: isCut ? least : 'smallest',
      height: 520,
    }
    files[`${axis.name}.svg`] = lineChart(chart).svg
    const outlined = lineChart({ ...chart, lettering: await sans(), scale: pngScale })
    files[`${axis.name}.png`] = await encodePng(outlined)
  }
  return files
}
