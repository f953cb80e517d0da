import { Dialog } from '../parts/dialog';

const KEYS: [keys: string[], does: string][] = [
  [['/'], 'Search'],
  [['j'], 'Next row'],
  [['k'], 'Previous row'],
  [['Enter'], 'Open the row'],
  [['Esc'], 'One level up, or leave a field'],
  [['g', 'o'], 'Overview'],
  [['g', 'c'], 'Crash groups'],
  [['g', 'd'], 'Dumps'],
  [['g', 'v'], 'Devices'],
  [['g', 'f'], 'Firmware'],
  [['?'], 'These keys'],
];

export function KeysDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" isOpen={isOpen} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, does]) => (
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
