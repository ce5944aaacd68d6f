import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { Failure } from '../look/failure.js'
import { Labels } from '../look/labels.js'
import { useLook } from '../look/use-look.js'
import { type ChosenPhoto, forgetPhoto } from '../photo/chosen-photo.js'
import { type IncomingFile, useIncomingFiles } from '../photo/incoming-files.js'
import { PhotoPicker } from '../photo/photo-picker.js'
import { save } from '../save.js'
import type { Tab, TabProps } from '../tab.js'
import { milliseconds, percent } from '../words.js'
import type { Lesson } from '../worker/teacher.js'
import { thread } from '../worker/thread.js'
import { ClassCard } from './class-card.js'
import { newClass, type TaughtClass, withFiles, withoutPhoto } from './taught-class.js'
import { TrainAll } from './train-all.js'
import { useTeaching } from './use-teaching.js'

const folderName = 'my-classes'

function LessonReport({ lesson }: { readonly lesson: Lesson }) {
  const { accuracy, labels, elapsedMs } = lesson
  const { count, of, low, high } = accuracy
  return (
    <p role="status">
      <strong>{`Taught ${labels.length} classes in ${(elapsedMs / 1000).toFixed(1)} s.`}</strong>{' '}
      {`On photos that it hadn’t learned from it was right ${count} of ${of} times (between ${percent(low)} and ${percent(high)} with 95 % confidence). What it learned last, it learned from all of them.`}
    </p>
  )
}

/** Asks the model that was taught about other photos. */
function TryIt({ active, lesson }: { readonly active: boolean; readonly lesson: Lesson }) {
  const [photo, setPhoto] = useState<ChosenPhoto>()
  // a new lesson is another model under the same name
  const asked = useMemo(() => ({ model: 'yours' as const, settings: {}, lesson: lesson.elapsedMs }), [lesson])
  const look = useLook(photo, asked)
  const { seen } = look
  return (
    <section aria-label="Try it">
      <h2>Try it</h2>
      <PhotoPicker
        active={active}
        onPhoto={(next) => {
          if (photo) forgetPhoto(photo)
          setPhoto(next)
        }}
      />
      <Failure look={look} />
      {photo && seen && (
        <div class="tried">
          <img src={photo.url} alt={photo.name} />
          <div>
            <Labels top={seen.top} />
            <p class="facts">{milliseconds(seen.elapsedMs)}</p>
          </div>
        </div>
      )}
    </section>
  )
}

/** Has the browser ask before the page is closed: nothing of a teaching is kept then. */
function useClosingQuestion(isWanted: boolean): void {
  useEffect(() => {
    if (!isWanted) return undefined
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isWanted])
}

function classUnder(target: EventTarget | null): number | undefined {
  const card = target instanceof Element ? target.closest<HTMLElement>('[data-class]') : null
  return card ? Number(card.dataset.class) : undefined
}

function TeachView({ active }: TabProps) {
  const [classes, setClasses] = useState<readonly TaughtClass[]>(() => [
    newClass('class 1'),
    newClass('class 2'),
  ])
  const { teaching, start, train, stop, forget } = useTeaching()
  const [failure, setFailure] = useState<string>()
  const { lesson, training, words, share } = teaching
  const add = useCallback((files: readonly IncomingFile[], target: EventTarget | null) => {
    setClasses((before) => withFiles(before, files, classUnder(target)))
  }, [])
  // once there is something to try, what is dropped beside the classes is to be tried
  useIncomingFiles(active && !lesson, add)
  // what was taught was taught of other photos
  useEffect(forget, [classes])
  const change = (id: number, changes: Partial<TaughtClass>) =>
    setClasses((all) => all.map((each) => (each.id === id ? { ...each, ...changes } : each)))
  const [isSaved, setIsSaved] = useState(false)
  useEffect(() => setIsSaved(false), [lesson])
  useClosingQuestion(words !== undefined || (lesson !== undefined && !isSaved))
  const verdicts = useMemo(
    () => new Map((lesson?.verdicts ?? []).map((verdict) => [verdict.photo, verdict])),
    [lesson],
  )
  const download = async () => {
    try {
      save(await thread.call('download', folderName), `${folderName}.zip`)
      setIsSaved(true)
    } catch (thrown) {
      setFailure((thrown as Error).message)
    }
  }
  const count = classes.reduce((sum, { photos }) => sum + photos.length, 0)
  return (
    <>
      <p class="lead">
        Name two or more classes and give each some photos: five already teach something, twenty more. Drop
        them on a class, or drop folders: each becomes a class of its name.
      </p>
      <div class="classes">
        {classes.map((taught) => (
          <ClassCard
            key={taught.id}
            taught={taught}
            verdicts={verdicts}
            onLabel={(label) => change(taught.id, { label })}
            onFiles={(files) =>
              setClasses((all) =>
                withFiles(
                  all,
                  files.map((file) => ({ file, folder: undefined })),
                  taught.id,
                ),
              )
            }
            onRemovePhoto={(photo) => setClasses((all) => withoutPhoto(all, photo))}
            onRemove={() => setClasses((all) => all.filter(({ id }) => id !== taught.id))}
          />
        ))}
      </div>
      <p>
        <button
          type="button"
          onClick={() => setClasses((all) => [...all, newClass(`class ${all.length + 1}`)])}
        >
          Add a class
        </button>{' '}
        {words === undefined ? (
          <button type="button" class="main" disabled={count === 0} onClick={() => start(classes)}>
            Teach
          </button>
        ) : (
          <button type="button" onClick={stop}>
            Stop
          </button>
        )}{' '}
        {lesson && words === undefined && (
          <button type="button" onClick={download}>
            Download the model
          </button>
        )}
      </p>
      {words !== undefined && (
        <p>
          <label>
            {words} <progress value={share} max={1} />
          </label>
        </p>
      )}
      {(teaching.failure ?? failure) && <p role="alert">{teaching.failure ?? failure}</p>}
      {lesson && !training?.lesson && <LessonReport lesson={lesson} />}
      {lesson && <TrainAll teaching={teaching} onTrain={() => train(classes, lesson)} />}
      {lesson && (
        <p class="hint">
          {`Unpacked, the folder ${folderName} is for the command line (blvit classify photo.jpg --model ${folderName}), the library, and transformers.js. Photos and classes are forgotten when this page is closed: the download isn’t.`}
        </p>
      )}
      {lesson && words === undefined && <TryIt active={active} lesson={lesson} />}
    </>
  )
}

export const teachTab: Tab = { id: 'teach', title: 'Teach', View: TeachView }
