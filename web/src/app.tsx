import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { EngineLine } from './engine-line.js'
import { KeptFiles } from './kept-files.js'
import { type ChosenPhoto, forgetPhoto } from './photo/chosen-photo.js'
import { tabs } from './tabs.js'

const [first] = tabs

/** The tab that the page's address names. */
function tabInAddress(): string {
  const named = location.hash.slice(1)
  return tabs.some(({ id }) => id === named) ? named : (first?.id ?? '')
}

/** The tab that is seen, which the address follows: back and forward lead to others. */
function useTab(): readonly [id: string, choose: (id: string) => void] {
  const [id, setId] = useState(tabInAddress)
  useEffect(() => {
    const follow = () => setId(tabInAddress())
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  const choose = (chosen: string) => {
    location.hash = chosen
    setId(chosen)
  }
  return [id, choose]
}

function TabList({ chosen, choose }: { readonly chosen: string; readonly choose: (id: string) => void }) {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const at = tabs.findIndex(({ id }) => id === chosen)
    const next = tabs[(at + step + tabs.length) % tabs.length]
    if (!next) return
    choose(next.id)
    list.current?.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label="What to do" ref={list} onKeyDown={move}>
      {tabs.map(({ id, title }) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === chosen}
          aria-controls={`panel-${id}`}
          tabIndex={id === chosen ? 0 : -1}
          onClick={() => choose(id)}
        >
          {title}
        </button>
      ))}
    </div>
  )
}

export function App() {
  const [chosen, choose] = useTab()
  const [photo, setPhoto] = useState<ChosenPhoto>()
  const takePhoto = useCallback((next: ChosenPhoto) => {
    setPhoto((before) => {
      if (before) forgetPhoto(before)
      return next
    })
  }, [])
  return (
    <>
      <header>
        <h1>
          <img src={new URL('./icon.svg', import.meta.url).href} alt="" width="28" height="28" /> blvit
        </h1>
        <TabList chosen={chosen} choose={choose} />
      </header>
      <main>
        {tabs.map(({ id, View }) => (
          <section
            key={id}
            id={`panel-${id}`}
            role="tabpanel"
            aria-labelledby={`tab-${id}`}
            hidden={id !== chosen}
          >
            <View active={id === chosen} photo={photo} onPhoto={takePhoto} />
          </section>
        ))}
      </main>
      <footer>
        <p>Your photos stay on this machine: everything is computed here, and nothing is sent anywhere.</p>
        <EngineLine />
        <KeptFiles />
      </footer>
    </>
  )
}
