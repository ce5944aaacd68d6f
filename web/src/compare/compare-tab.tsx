import { useEffect, useId, useState } from 'preact/hooks'
import { Failure } from '../look/failure.js'
import { Labels } from '../look/labels.js'
import { RouteView } from '../look/route-view.js'
import { useLook } from '../look/use-look.js'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import { PhotoPicker } from '../photo/photo-picker.js'
import type { Tab, TabProps } from '../tab.js'
import { billions, milliseconds } from '../words.js'
import type { Method } from '../worker/engine.js'
import { thread } from '../worker/thread.js'
import { type Choice, choicesOf } from './choices.js'

/** The methods that the plain model can do; none until it is loaded, which a photo is waited for. */
function useMethods(wanted: boolean): readonly Method[] {
  const [methods, setMethods] = useState<readonly Method[]>([])
  useEffect(() => {
    // what is wrong with the model is told where the photo is looked at
    if (wanted) void thread.call('methods', 'vit-tiny').then(setMethods, () => {})
  }, [wanted])
  return methods
}

interface SideProps {
  readonly name: string
  readonly photo: ChosenPhoto | undefined
  readonly choices: readonly Choice[]
  /** The id of the one that it begins with. */
  readonly first: string
}

function Side({ name, photo, choices, first }: SideProps) {
  const [id, setId] = useState(first)
  const [typed, setTyped] = useState<string>()
  const ids = { choice: useId(), value: useId() }
  const choice = choices.find((each) => each.id === id)
  const value = typed ?? choice?.value ?? ''
  const look = useLook(photo, choice?.ask(value))
  const { seen, route, failure, isBusy } = look
  return (
    <section class="side" aria-label={name} aria-busy={isBusy}>
      <p>
        <label for={ids.choice}>{name}</label>
        <select
          id={ids.choice}
          value={id}
          onChange={({ currentTarget }) => {
            setId(currentTarget.value)
            setTyped(undefined)
          }}
        >
          {choices.map((each) => (
            <option key={each.id} value={each.id}>
              {each.title}
            </option>
          ))}
        </select>
      </p>
      {choice?.valueName && (
        <p>
          <label for={ids.value}>{choice.valueName}</label>
          <input
            id={ids.value}
            value={value}
            spellcheck={false}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </p>
      )}
      <p class="hint">{choice?.about}</p>
      <Failure look={look} />
      {seen && !failure && (
        <>
          <p class="facts">
            <strong>{milliseconds(seen.elapsedMs)}</strong>, <strong>{billions(seen.multiplyAdds)}</strong>{' '}
            multiply-adds
          </p>
          <Labels top={seen.top} />
          {route ? (
            <RouteView route={route} />
          ) : (
            !isBusy && <p>Every layer works on all patches: there is no route to draw.</p>
          )}
        </>
      )}
    </section>
  )
}

function CompareView({ active, photo, onPhoto }: TabProps) {
  // before anybody looks here, nothing is fetched
  const [wasActive, setWasActive] = useState(active)
  if (active && !wasActive) setWasActive(true)
  const shown = wasActive ? photo : undefined
  const choices = choicesOf(useMethods(shown !== undefined))
  return (
    <>
      <p class="lead">The same photo by two ways: what each says, costs, and does with the patches.</p>
      <PhotoPicker active={active} onPhoto={onPhoto} />
      <div class="columns">
        <Side name="Left" photo={shown} choices={choices} first="plain" />
        <Side name="Right" photo={shown} choices={choices} first="big-little" />
      </div>
    </>
  )
}

export const compareTab: Tab = { id: 'compare', title: 'Compare', View: CompareView }
