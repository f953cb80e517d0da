import { Dialog } from '../parts/dialog';
import { usePlaces } from './places';

const KEYS: [keys: string[], does: string][] = [
  [['/'], 'Search'],
  [['j'], 'Next row'],
  [['k'], 'Previous row'],
  [['Enter'], 'Open the row'],
  [['n'], 'Next older crash of a group'],
  [['p'], 'Crash of a group before'],
  [['Esc'], 'One level up, or leave a field'],
  [['?'], 'These keys'],
  [['r'], 'On a crash group: resolve it'],
  [['i'], 'On a crash group: ignore it'],
  [['a'], 'On a crash group: assign it'],
  [['c'], 'On a crash group: comment'],
];

export function KeysDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const places = usePlaces().map(({ key, name }): [string[], string] => [['g', key], name]);
  return (
    <Dialog title="Keyboard shortcuts" isOpen={isOpen} onClose={onClose}>
      <dl className="keys">
        {[...KEYS, ...places].map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
