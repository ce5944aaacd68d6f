import { TwoCurves } from '../two-curves.js'
import { billions, milliseconds, percent, shortLabel } from '../words.js'

/** What was measured at a keep ratio. */
export interface Measured {
  readonly keepRatio: number
  /** The least of its runs: what disturbs a run makes it longer. */
  readonly elapsedMs: number
  readonly multiplyAdds: number
  readonly label: string
  readonly probability: number
}

/** The multiply-adds at every keep ratio of the dial. */
export interface Cost {
  readonly keepRatio: number
  readonly multiplyAdds: number
}

const ticks = [0.25, 0.5, 0.75, 1]

/** A round number that is not much larger. */
function above(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return (Math.ceil((2 * value) / unit) / 2) * unit
}

/** Multiply-adds as a line, milliseconds as dots, over the keep ratio: each from 0 on an axis of its own. */
export function Curve({
  costs,
  measured,
  now,
}: {
  readonly costs: readonly Cost[]
  readonly measured: readonly Measured[]
  readonly now: number
}) {
  if (costs.length === 0 || measured.length === 0) return null
  const most = above(Math.max(...costs.map(({ multiplyAdds }) => multiplyAdds)))
  const longest = above(Math.max(...measured.map(({ elapsedMs }) => elapsedMs)))
  const points = measured.toSorted((a, b) => a.keepRatio - b.keepRatio)
  return (
    <TwoCurves
      about="Milliseconds and multiply-adds over the keep ratio; the numbers stand in the table below"
      dots={{
        of: 'milliseconds, measured here',
        places: points.map(({ keepRatio, elapsedMs }) => [keepRatio, elapsedMs / longest]),
        most: `${longest} ms`,
      }}
      line={{
        of: 'multiply-adds',
        places: costs.map(({ keepRatio, multiplyAdds }) => [keepRatio, multiplyAdds / most]),
        most: billions(most),
      }}
      over="the keep ratio"
      ticks={ticks.map((tick) => ({ at: tick, text: tick }))}
      now={now}
      columns={['Keep ratio', 'Time', 'Multiply-adds', 'Label']}
      rows={points.map(({ keepRatio, elapsedMs, multiplyAdds, label, probability }) => [
        keepRatio,
        milliseconds(elapsedMs),
        billions(multiplyAdds),
        `${shortLabel(label)} (${percent(probability)})`,
      ])}
    />
  )
}
