import { type Curve, drawLineChart } from '../drawing/line-chart.js'
import { type LogRecord, validationsIn } from './training-log.js'

/** More points than this can't be seen and only make the file large. */
const mostPoints = 300

/** Means of neighbouring points, so that a noisy curve can be read. */
function smoothed(points: Curve['points']): Curve['points'] {
  const each = Math.ceil(points.length / mostPoints)
  return Array.from({ length: Math.ceil(points.length / each) }, (_, i) => {
    const group = points.slice(i * each, (i + 1) * each)
    const mean = (key: 'x' | 'y') => group.reduce((sum, point) => sum + point[key], 0) / group.length
    return { x: mean('x'), y: mean('y') }
  })
}

/** Steps of all stages, one after the other. */
function stepCounter(records: readonly LogRecord[]): (record: LogRecord) => number {
  const lengths = new Map<number, number>()
  for (const { stage, step } of records) lengths.set(stage, Math.max(lengths.get(stage) ?? 0, step))
  return ({ stage, step }) => {
    const before = [...lengths].filter(([other]) => other < stage).reduce((sum, [, steps]) => sum + steps, 0)
    return before + step
  }
}

const notLosses = ['stage', 'step', 'learning_rate', 'gradient_norm']

/** The losses of a training over its steps. @returns a whole SVG document; undefined before the second step */
export function lossCurves(records: readonly LogRecord[]): string | undefined {
  const stepNumber = stepCounter(records)
  const names = new Set(
    records.flatMap((record) =>
      Object.entries(record).flatMap(([name, value]) =>
        typeof value === 'number' && !notLosses.includes(name) ? [name] : [],
      ),
    ),
  )
  const curves = [...names].map((name) => ({
    name: name.replaceAll('_', ' '),
    points: smoothed(
      records.flatMap((record) => {
        const y = (record as Readonly<Record<string, unknown>>)[name]
        return typeof y === 'number' ? [{ x: stepNumber(record), y }] : []
      }),
    ),
  }))
  if (!curves.some(({ points }) => points.length > 1)) return undefined
  return drawLineChart({ title: 'Losses', xLabel: 'step', yLabel: 'loss', curves })
}

/** Validations over the steps, a curve for each setting; undefined before the second one. */
export function accuracyCurves(records: readonly LogRecord[]): string | undefined {
  const stepNumber = stepCounter(records)
  const points = validationsIn(records).flatMap((record) =>
    record.validation.map(({ setting, right, of }) => ({
      name: setting,
      x: stepNumber(record),
      y: (100 * right) / of,
    })),
  )
  const names = [...new Set(points.map(({ name }) => name))]
  const curves = names.map((name) => ({ name, points: points.filter((point) => point.name === name) }))
  if (!curves.some((curve) => curve.points.length > 1)) return undefined
  return drawLineChart({ title: 'Accuracy', xLabel: 'step', yLabel: '%', yFrom: 'smallest', curves })
}
