import type { FunctionComponent } from 'preact'
import type { ChosenPhoto } from './photo/chosen-photo.js'

/** What every tab is given. */
export interface TabProps {
  /** Whether it is the one that is seen: only then it takes what is dropped or pasted. */
  readonly active: boolean
  /** The photo that tabs share. */
  readonly photo: ChosenPhoto | undefined
  readonly onPhoto: (photo: ChosenPhoto) => void
}

export interface Tab {
  /** In the page's address: `#look`. */
  readonly id: string
  readonly title: string
  readonly View: FunctionComponent<TabProps>
}
