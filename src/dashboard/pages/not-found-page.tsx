import { Link } from 'wouter';
import { useTitle } from '../parts/use-title';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <div className="empty">
      <h1>This page does not exist</h1>
      <p>
        What it showed may have been deleted, or the address is not complete.{' '}
        <Link href="/">Back to the overview</Link>
      </p>
    </div>
  );
}
