import { percent, shortLabel } from '../words.js'
import type { Seen } from '../worker/engine.js'

/** The best labels, with a bar each. */
export function Labels({ top }: Pick<Seen, 'top'>) {
  return (
    <ol class="labels" aria-label="Labels">
      {top.map(({ index, label, probability }) => (
        <li key={index} title={label}>
          <span class="name">{shortLabel(label)}</span>
          <data class="share" value={probability}>
            {percent(probability)}
          </data>
          <span class="bar" aria-hidden="true">
            <span style={{ width: `${100 * probability}%` }} />
          </span>
        </li>
      ))}
    </ol>
  )
}
