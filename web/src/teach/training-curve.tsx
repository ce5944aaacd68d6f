import { TwoCurves } from '../two-curves.js'
import { percent } from '../words.js'
import type { Training } from '../worker/teacher.js'

/** Loss as a line from 0 on, accuracy as dots, over the epochs. */
export function TrainingCurve({ epochs }: Pick<Training, 'epochs'>) {
  const last = Math.max(1, epochs.length - 1)
  const most = Math.max(0, ...epochs.map(({ loss }) => loss ?? 0))
  return (
    <TwoCurves
      about="Loss and accuracy over the epochs; the numbers stand in the table below"
      dots={{
        of: 'right on photos held out',
        places: epochs.map(({ epoch, accuracy }) => [epoch / last, accuracy]),
        most: '100 %',
      }}
      line={{
        of: 'loss',
        places: epochs.flatMap(({ epoch, loss }) =>
          loss === undefined ? [] : [[epoch / last, loss / most] as const],
        ),
        most: most > 0 ? most.toFixed(2) : undefined,
      }}
      over="the epochs"
      ticks={epochs.map(({ epoch }) => ({ at: epoch / last, text: epoch }))}
      columns={['Epoch', 'Loss', 'Right']}
      rows={epochs.map(({ epoch, loss, accuracy, best }) => [
        epoch === 0 ? '0, the head' : epoch,
        loss?.toFixed(3) ?? '–',
        `${percent(accuracy)}${best ? ', best so far' : ''}`,
      ])}
    />
  )
}
