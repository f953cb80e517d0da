-- CreateTable
CREATE TABLE "RegroupRun" (
    "fingerprintVersion" TEXT NOT NULL PRIMARY KEY,
    "startedAt" DATETIME NOT NULL,
    "finishedAt" DATETIME,
    "total" INTEGER NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "afterId" INTEGER NOT NULL DEFAULT 0,
    "leaseOwner" TEXT,
    "leaseUntil" DATETIME
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_CrashOccurrence" (
    "coredumpId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "signatureId" INTEGER,
    "modelId" INTEGER NOT NULL,
    "firmwareVersion" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "CrashOccurrence_coredumpId_fkey" FOREIGN KEY ("coredumpId") REFERENCES "Coredump" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "CrashOccurrence_signatureId_fkey" FOREIGN KEY ("signatureId") REFERENCES "CrashSignature" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
INSERT INTO "new_CrashOccurrence" ("coredumpId", "modelId", "signatureId") SELECT "coredumpId", "modelId", "signatureId" FROM "CrashOccurrence";
DROP TABLE "CrashOccurrence";
ALTER TABLE "new_CrashOccurrence" RENAME TO "CrashOccurrence";
CREATE INDEX "CrashOccurrence_signatureId_coredumpId_idx" ON "CrashOccurrence"("signatureId", "coredumpId");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- Crashes that were counted before: by what the device reported.
UPDATE "CrashOccurrence" SET "firmwareVersion" =
  (SELECT c."firmwareVersion" FROM "Coredump" c WHERE c."id" = "CrashOccurrence"."coredumpId");
