import { Link } from 'wouter';
import { useTitle } from '../parts/use-title';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <div className="empty">
      <h1>This page does not exist</h1>
      <p>
        It may have been deleted. <Link href="/">Back to the overview</Link>
      </p>
    </div>
  );
}
