import { groups } from 'd3-array'
import { BlvitError } from '../base/blvit-error.js'
import { type Curve, drawLineChart } from '../drawing/line-chart.js'
import { spreadOf } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { BenchReport, BenchResult, Efficiency } from './report.js'
import { baselineOf, findVariants, type SubjectOptions } from './variants.js'

type Compared = BenchResult & { readonly against: Efficiency }

function perPicture({ imagesPerSecond }: BenchResult): number {
  return 1000 / imagesPerSecond
}

/** What of a measurement's circumstances differs among the results: `batch 8, 2 threads, int8`. */
function circumstancesOf(results: readonly BenchResult[]): (result: BenchResult) => string {
  const parts: readonly ((result: BenchResult) => string)[] = [
    ({ batch, many }) => (many ? 'many' : `batch ${batch}`),
    ({ device }) => device,
    ({ threads }) =>
      threads === undefined ? 'threads as it chooses' : `${threads} thread${threads === 1 ? '' : 's'}`,
    ({ precision }) => precision,
  ]
  const differing = parts.filter((part) => new Set(results.map(part)).size > 1)
  return (result) => differing.map((part) => part(result)).join(', ')
}

/** `evit:0.7` → `evit`, `keep ratio 0.25` → `keep ratio`: what differs in numbers only is one curve. */
export function kindOf(setting: string): string {
  return setting.replace(/[:\s]*\d+(\.\d+)?(e[+-]?\d+)?/g, '').trim()
}

function joined(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(', ')
}

/**
 * Over the share of the multiply-adds that is left: a curve for each model and kind of setting, and for each baseline
 * its point at 1 with a dashed line to the origin, on which a model lies whose saved work is saved time.
 */
function curvesOf(results: readonly BenchResult[]): Curve[] {
  const compared = results.flatMap((result): Compared[] =>
    result.against ? [{ ...result, against: result.against }] : [],
  )
  const circumstances = circumstancesOf(results)
  const share = ({ against }: Compared) => 1 / against.multiplyAddSpeedup
  const measured = groups(compared, (result) =>
    joined(result.name, kindOf(result.setting), circumstances(result)),
  ).flatMap(([name, group]): Curve[] => {
    const points = group
      .map((result) => ({ x: share(result), y: perPicture(result), label: result.setting }))
      .sort((a, b) => a.x - b.x)
    return [{ name, points }]
  })
  const baselines = groups(compared, (result) => joined(result.against.baseline, circumstances(result)))
  const promised = baselines.flatMap(([name, group]): Curve[] => {
    const [first] = group
    if (!first) return []
    const wholeMs = perPicture(first) * first.against.measuredSpeedup
    // blocks beside the big ones may make it more work than the plain model
    const shares = [1, ...group.map(share)]
    const line = [Math.min(...shares), Math.max(...shares)].map((x) => ({ x, y: x * wholeMs }))
    const family = `${name}, all tokens`
    return [
      { name: family, family, points: [{ x: 1, y: wholeMs }] },
      { name: `${name}, in theory`, family, points: line, dashed: true },
    ]
  })
  return [...measured, ...promised]
}

function nothingToDraw(): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    'There is nothing to draw: measure a model that saves work, in one setting or several, e.g. a big.LITTLE model ' +
      'with --keep-ratio 0.25,0.5,0.75 or any ViT with --reduce evit:0.5,evit:0.7.',
  )
}

/**
 * The settings to measure for a plot, decided before anything is measured.
 * @param given default: values of each model's own number, if it has one
 * @throws BlvitError `BAD_OPTION` for a plot that would be empty; as `bench` for a model that isn't there
 */
export async function settingsToPlot(
  references: readonly string[],
  given: readonly Settings[] | undefined,
  options: SubjectOptions = {},
): Promise<readonly Settings[]> {
  const variants = await findVariants(references, { ...options, settings: given, baselines: false })
  if (!variants.some((variant) => baselineOf(variant))) throw nothingToDraw()
  if (given) return given
  return variants.flatMap(({ subject }) => spreadOf(subject.architecture))
}

/**
 * Latency over the work that is left, theory beside it.
 * @throws BlvitError `BAD_OPTION` if no model was measured that saves work
 */
export function benchPlot({ results, machine }: BenchReport): string {
  const curves = curvesOf(results)
  if (curves.length === 0) throw nothingToDraw()
  return drawLineChart({
    title: `Time over work (${machine.cpu}, ${machine.cores} cores)`,
    xLabel: 'multiply-adds, as a share of those with all tokens',
    yLabel: 'ms per picture, median',
    curves,
  })
}
