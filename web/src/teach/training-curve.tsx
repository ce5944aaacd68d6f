import { percent } from '../words.js'
import type { Training } from '../worker/teacher.js'

const frame = { width: 360, height: 150, left: 44, right: 52, top: 12, bottom: 26 } as const

const inHeight = (share: number) =>
  frame.height - frame.bottom - share * (frame.height - frame.top - frame.bottom)

/** Loss as a line from 0 on, accuracy as dots, over the epochs. */
export function TrainingCurve({ epochs }: Pick<Training, 'epochs'>) {
  const last = Math.max(1, epochs.length - 1)
  const most = Math.max(0, ...epochs.map(({ loss }) => loss ?? 0))
  const inWidth = (epoch: number) => frame.left + (epoch / last) * (frame.width - frame.left - frame.right)
  const losses = epochs.flatMap(({ epoch, loss }) =>
    loss === undefined ? [] : [`${inWidth(epoch)},${inHeight(loss / most)}`],
  )
  const accuracies = epochs.map(({ epoch, accuracy }) => `${inWidth(epoch)},${inHeight(accuracy)}`)
  return (
    <figure class="curve">
      <svg
        viewBox={`0 0 ${frame.width} ${frame.height}`}
        role="img"
        aria-label="Loss and accuracy over the epochs; the numbers stand in the table below"
      >
        {epochs.map(({ epoch }) => (
          <g key={epoch}>
            <line class="grid" x1={inWidth(epoch)} x2={inWidth(epoch)} y1={inHeight(0)} y2={inHeight(1)} />
            <text x={inWidth(epoch)} y={frame.height - 10} text-anchor="middle">
              {epoch}
            </text>
          </g>
        ))}
        <line class="axis" x1={inWidth(0)} x2={inWidth(last)} y1={inHeight(0)} y2={inHeight(0)} />
        <text class="time" x={frame.left - 6} y={inHeight(1) + 4} text-anchor="end">
          100 %
        </text>
        {most > 0 && (
          <text class="work" x={frame.width - frame.right + 6} y={inHeight(1) + 4}>
            {most.toFixed(2)}
          </text>
        )}
        <text x={frame.left - 6} y={inHeight(0) + 4} text-anchor="end">
          0
        </text>
        <polyline class="work" points={losses.join(' ')} />
        <polyline class="time" points={accuracies.join(' ')} />
        {epochs.map(({ epoch, accuracy }) => (
          <circle key={epoch} class="time" cx={inWidth(epoch)} cy={inHeight(accuracy)} r="3" />
        ))}
      </svg>
      <figcaption>
        <span class="time">● right on photos held out</span> <span class="work">— loss</span>, over the epochs
      </figcaption>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Epoch</th>
              <th scope="col">Loss</th>
              <th scope="col">Right</th>
            </tr>
          </thead>
          <tbody>
            {epochs.map(({ epoch, loss, accuracy, best }) => (
              <tr key={epoch}>
                <th scope="row">{epoch === 0 ? '0, the head' : epoch}</th>
                <td>{loss?.toFixed(3) ?? '–'}</td>
                <td>{`${percent(accuracy)}${best ? ', best so far' : ''}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
