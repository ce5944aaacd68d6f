import { useEngineNews } from '../engine-state.js'
import { percent } from '../words.js'
import type { Training } from '../worker/teacher.js'
import { TrainingCurve } from './training-curve.js'
import type { Teaching } from './use-teaching.js'

function TrainingReport({ training }: { readonly training: Training }) {
  const { lesson, headAccuracy: head, epochs, bestEpoch } = training
  const after = epochs.length - 1
  if (!lesson) {
    const why =
      after === 0
        ? 'It was stopped before its first epoch ended'
        : `None of ${after} epochs was better than the head`
    return <p role="status">{`${why}: the head, which learned from all photos, is kept.`}</p>
  }
  const { count, of, low, high } = lesson.accuracy
  return (
    <p role="status">
      <strong>{`Trained the whole model in ${(lesson.elapsedMs / 1000).toFixed(0)} s.`}</strong>{' '}
      {`The weights after epoch ${bestEpoch} of ${after} are kept. On photos that it never learned from it was right ${count} of ${of} times (between ${percent(low)} and ${percent(high)} with 95 % confidence), the head that it began with ${head.count} of ${head.of} times.`}
    </p>
  )
}

/** All layers learn, from the head on: what that costs here, how it goes, and what came of it. */
export function TrainAll({
  teaching,
  onTrain,
}: {
  readonly teaching: Teaching
  readonly onTrain: () => void
}) {
  const { epochs, training, words } = teaching
  const { engine } = useEngineNews()
  const isFast = engine?.device === 'webgpu'
  return (
    <section aria-label="Train the whole model">
      <h2>Train the whole model</h2>
      <p class="hint">
        {`A head only weighs what the model sees already. Here all 12 layers learn, from that head on, ten times through five of seven photos; of the others a half says which time was best, a half how good it is. It needs ten photos a class or more. ${
          isFast
            ? 'The graphics processor does it.'
            : 'WebGPU is meant for it, but there is no graphics processor that the page can use: WebAssembly takes some four times as long for a photo as it takes to look at it, forty times in all.'
        }`}
      </p>
      {words === undefined && (
        <p>
          <button type="button" onClick={onTrain}>
            {isFast ? 'Train the whole model' : 'Train the whole model, slowly'}
          </button>
        </p>
      )}
      {training && <TrainingReport training={training} />}
      {epochs && epochs.length > 1 && <TrainingCurve epochs={epochs} />}
    </section>
  )
}
