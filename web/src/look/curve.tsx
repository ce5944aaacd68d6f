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

const frame = { width: 360, height: 170, left: 60, right: 48, top: 12, bottom: 30 } as const
const ticks = [0.25, 0.5, 0.75, 1]

const inWidth = (share: number) => frame.left + share * (frame.width - frame.left - frame.right)
const inHeight = (share: number) =>
  frame.height - frame.bottom - share * (frame.height - frame.top - frame.bottom)

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
  const line = (places: readonly (readonly [number, number])[]) =>
    places.map(([x, y]) => `${x},${y}`).join(' ')
  return (
    <figure class="curve">
      <svg
        viewBox={`0 0 ${frame.width} ${frame.height}`}
        role="img"
        aria-label="Milliseconds and multiply-adds over the keep ratio; the numbers stand in the table below"
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={inWidth(tick)} x2={inWidth(tick)} y1={inHeight(0)} y2={inHeight(1)} />
            <text x={inWidth(tick)} y={frame.height - 14} text-anchor="middle">
              {tick}
            </text>
          </g>
        ))}
        <line class="axis" x1={inWidth(0)} x2={inWidth(1)} y1={inHeight(0)} y2={inHeight(0)} />
        <line class="now" x1={inWidth(now)} x2={inWidth(now)} y1={inHeight(0)} y2={inHeight(1)} />
        <text class="time" x={frame.left - 6} y={inHeight(1) + 4} text-anchor="end">{`${longest} ms`}</text>
        <text class="work" x={frame.width - frame.right + 6} y={inHeight(1) + 4}>
          {billions(most)}
        </text>
        <text x={frame.left - 6} y={inHeight(0) + 4} text-anchor="end">
          0
        </text>
        <polyline
          class="work"
          points={line(
            costs.map(({ keepRatio, multiplyAdds }) => [inWidth(keepRatio), inHeight(multiplyAdds / most)]),
          )}
        />
        <polyline
          class="time"
          points={line(
            points.map(({ keepRatio, elapsedMs }) => [inWidth(keepRatio), inHeight(elapsedMs / longest)]),
          )}
        />
        {points.map(({ keepRatio, elapsedMs }) => (
          <circle
            key={keepRatio}
            class="time"
            cx={inWidth(keepRatio)}
            cy={inHeight(elapsedMs / longest)}
            r="3"
          />
        ))}
      </svg>
      <figcaption>
        <span class="time">● milliseconds, measured here</span> <span class="work">— multiply-adds</span>,
        over the keep ratio
      </figcaption>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Keep ratio</th>
              <th scope="col">Time</th>
              <th scope="col">Multiply-adds</th>
              <th scope="col">Label</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ keepRatio, elapsedMs, multiplyAdds, label, probability }) => (
              <tr key={keepRatio}>
                <th scope="row">{keepRatio}</th>
                <td>{milliseconds(elapsedMs)}</td>
                <td>{billions(multiplyAdds)}</td>
                <td>{`${shortLabel(label)} (${percent(probability)})`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
