-- AlterTable
ALTER TABLE "AlertRule" ADD COLUMN     "enabled" BOOLEAN NOT NULL DEFAULT true;
